// data/media/video.cpp - reading and writing video through ffmpeg.
#include "data/media/video.h"

#include "kernels/base/error.h"

#include <algorithm>
#include <array>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

constexpr const char* kExactScaler = "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp";

/// The scaler's name of the matrix between RGB and YUV. Players take BT.709 for untagged high definition, BT.601 below.
std::string scaler_matrix(const VideoFormat& format)
{
    if (format.matrix == "bt709") return "bt709";
    if (format.matrix.rfind("bt2020", 0) == 0) return "bt2020";
    if (format.matrix == "smpte240m" || format.matrix == "fcc") return format.matrix;
    if (format.matrix.empty() && format.H >= 720) return "bt709";
    return "bt601";
}

std::vector<std::string> decode_command(const fs::path& path, const VideoInfo& info)
{
    const VideoFormat& format = info.format;
    std::string scale = str("scale=", format.W, ":", format.H, ":", kExactScaler);
    const bool yuv = info.pixel_format.rfind("yuv", 0) == 0 || info.pixel_format.rfind("nv", 0) == 0;
    if (yuv) scale += ":in_color_matrix=" + scaler_matrix(format);
    if (yuv && !format.range.empty()) scale += ":in_range=" + format.range;
    return {"ffmpeg",
            "-nostdin",
            "-v",
            "error",
            "-protocol_whitelist",
            "file",
            "-i",
            "file:" + path.string(),
            "-map",
            "0:V:0",
            "-fps_mode",
            "passthrough",
            "-vf",
            scale + ",format=bgr24",
            "-f",
            "rawvideo",
            "pipe:1"};
}

std::string container(const fs::path& path)
{
    return path.extension() == ".mkv" ? "matroska" : path.extension() == ".mov" ? "mov" : "mp4";
}

/// Marks frames with the colour tags that are known: since ffmpeg 7 the frames' own tags override the encoder's
/// options. What we write is YUV, whatever a source of RGB says.
std::string tagging_filter(const VideoFormat& format)
{
    const std::pair<const char*, const std::string&> tags[] = {{"range", format.range},
                                                               {"colorspace", format.matrix},
                                                               {"color_primaries", format.primaries},
                                                               {"color_trc", format.transfer}};
    std::string filter;
    for (const auto& [name, value] : tags)
        if (!value.empty() && value != "gbr") filter += (filter.empty() ? ",setparams=" : ":") + str(name, "=", value);
    return filter;
}

std::vector<std::string> encode_command(const fs::path& out, const std::string& kind, const VideoFormat& format,
                                        const VideoOptions& options)
{
    const bool odd = format.H % 2 != 0 || format.W % 2 != 0;
    const std::string range = format.range.empty() ? "tv" : format.range;
    const std::string filter =
        str("scale=", kExactScaler, ":out_color_matrix=", scaler_matrix(format), ":out_range=", range,
            ",format=", odd ? "yuv444p" : "yuv420p", ",setsar=", format.sample_aspect.num, "/",
            format.sample_aspect.den, tagging_filter(format));
    std::vector<std::string> command = {"ffmpeg",     "-nostdin",
                                        "-v",         "error",
                                        "-xerror",    "-y",
                                        "-f",         "rawvideo",
                                        "-pix_fmt",   "bgr24",
                                        "-s",         str(format.W, "x", format.H),
                                        "-framerate", str(format.rate.num, "/", format.rate.den),
                                        "-i",         "pipe:0",
                                        "-vf",        filter,
                                        "-c:v",       "libx264",
                                        "-crf",       str(options.crf),
                                        "-preset",    options.preset};
    if (!options.comment.empty()) command.insert(command.end(), {"-metadata", "comment=" + options.comment});
    command.insert(command.end(), {"-f", kind, "file:" + out.string()});
    return command;
}

bool can_copy(const std::string& kind, const std::vector<std::string>& codecs)
{
    constexpr std::array<const char*, 4> kSafe = {"aac", "mp3", "ac3", "alac"};
    return kind == "matroska" || std::all_of(codecs.begin(), codecs.end(), [&](const std::string& codec) {
               return std::find(kSafe.begin(), kSafe.end(), codec) != kSafe.end();
           });
}

/// What is in a file that we wrote; nothing when it cannot be read. ffmpeg 5 ends with 0 when the last bytes do not
/// fit.
VideoInfo written(const fs::path& path)
{
    try {
        return probe(path);
    } catch (const Error&) {
        return {};
    }
}

bool is_disk_full(const std::string& complaint)
{
    return complaint.find("No space left") != std::string::npos || complaint.find("too large") != std::string::npos;
}

} // namespace

VideoReader::VideoReader(const fs::path& path)
    : path_(path), info_(probe(path)), decoder_(decode_command(path, info_), Process::Pipe::from)
{
}

bool VideoReader::next(Image& frame)
{
    frame = Image(info_.format.H, info_.format.W, 3);
    if (decoder_.read(frame.pixels.data(), frame.pixels.size()) < frame.pixels.size()) return end();
    ++frames_;
    return true;
}

bool VideoReader::end()
{
    const int status = decoder_.wait();
    const std::string complaint = decoder_.complaint();
    // Field pictures and hidden frames give fewer frames than packets, silently; damage does not keep silent.
    const bool complete = frames_ > 0 && status == 0 && (frames_ >= info_.frames || complaint.empty());
    BIFRONS_CHECK(data, complete, path_.string(), ": ", frames_, " of ", info_.frames, " frames could be decoded (",
                  complaint, "); the file is truncated or damaged");
    return false;
}

bool has_video_name(const fs::path& path)
{
    const fs::path ending = path.extension();
    return ending == ".mp4" || ending == ".mov" || ending == ".mkv";
}

VideoWriter::VideoWriter(const fs::path& path, const VideoFormat& format, const VideoOptions& options)
    : path_(path), temporary_(partial_name(path.string())), format_(format), options_(options)
{
    BIFRONS_CHECK(usage, has_video_name(path), path.string(), ": unknown video format \"", path.extension().string(),
                  "\"; expected .mp4, .mov or .mkv");
    BIFRONS_CHECK(usage, options.crf >= 0 && options.crf <= 51, path.string(), ": crf is ", options.crf,
                  "; expected 0 to 51");
    check_destination(path, options.existing);
    encoder_ =
        std::make_unique<Process>(encode_command(temporary_, container(path), format, options), Process::Pipe::into);
}

VideoWriter::~VideoWriter()
{
    encoder_.reset();
    std::error_code ignored;
    fs::remove(temporary_, ignored);
}

void VideoWriter::fail(const std::string& reason) const
{
    throw Error(ErrorKind::failed, str(path_.string(), ": cannot be written: ", reason,
                                       ". The existing file is unchanged. Check the free space and ffmpeg's message."));
}

void VideoWriter::write(const Image& frame)
{
    BIFRONS_CHECK(shape, frame.H == format_.H && frame.W == format_.W && frame.C == 3, path_.string(), ": frame [",
                  frame.H, ",", frame.W, ",", frame.C, "]; expected [", format_.H, ",", format_.W, ",3]");
    if (!encoder_->write(frame.pixels.data(), frame.pixels.size())) {
        encoder_->wait();
        fail(encoder_->complaint());
    }
    ++frames_;
}

std::string VideoWriter::finish()
{
    const int status = encoder_->wait();
    if (status != 0) fail(str(encoder_->complaint(), " (ffmpeg ended with ", status, ")"));
    BIFRONS_CHECK(data, frames_ > 0, path_.string(), ": no frames given; nothing was written");
    const std::int64_t frames = written(temporary_).frames;
    if (frames != frames_) fail(str(frames, " of ", frames_, " frames are in the file"));
    const std::string sound = options_.audio.empty() ? "none" : add_sound();
    check_destination(path_, options_.existing);
    rename_into_place(temporary_, path_);
    return sound;
}

std::string VideoWriter::add_sound()
{
    const VideoInfo source = probe(options_.audio);
    if (source.audio.empty()) return "none";
    const std::string kind = container(path_);
    const bool copy = can_copy(kind, source.audio);
    fs::path joined = temporary_;
    joined += "-sound";
    // The first picture keeps its distance from the start of the sound.
    std::vector<std::string> command = {"ffmpeg",
                                        "-nostdin",
                                        "-v",
                                        "error",

                                        "-y",
                                        "-itsoffset",
                                        str(source.start_s),
                                        "-i",
                                        "file:" + temporary_.string(),
                                        "-protocol_whitelist",
                                        "file",
                                        "-i",
                                        "file:" + options_.audio.string(),
                                        "-map",
                                        "0:v",
                                        "-map",
                                        "1:a",
                                        "-c:v",
                                        "copy",
                                        "-c:a",
                                        copy ? "copy" : "aac"};
    if (!copy) command.insert(command.end(), {"-b:a", "192k"});
    command.insert(command.end(), {"-map_metadata", "0", "-f", kind, "file:" + joined.string()});
    const Output output = run(command);
    const VideoInfo result = written(joined);
    const bool ok = output.status == 0 && result.frames == frames_ && result.audio.size() == source.audio.size();
    if (ok) rename_into_place(joined, temporary_);
    std::error_code ignored;
    fs::remove(joined, ignored);
    if (ok) return copy ? "copied" : "aac";
    if (is_disk_full(output.complaint)) fail(output.complaint);
    return "lost: " + (output.complaint.empty() ? "the stream is empty" : output.complaint);
}

} // namespace bifrons::data
