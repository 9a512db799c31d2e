// data/media/reader.cpp - the frames of a video file.
#include "data/media/reader.h"

#include "data/media/input.h"

#include "kernels/base/error.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <thread>
#include <utility>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

std::size_t count_of(const std::string& text, const std::string& part)
{
    std::size_t n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
    return n;
}

/// How each of the frames from `start_s` on looks to ffmpeg, a line each. With `threshold` 1.04, ffmpeg's own, sharp
/// moving edges of progressive footage are taken for combing now and then.
std::string looks_of_frames(const fs::path& path, const VideoInfo& info, double start_s, int frames, double threshold)
{
    Words command = {"ffmpeg", "-nostdin", "-v", "quiet", "-ss", str(start_s)};
    append(command, input_options(path));
    append(command,
           {"-map", str("0:", info.video_stream), "-frames:v", str(frames), "-vf",
            str("idet=intl_thres=", threshold, ",metadata=mode=print:key=lavfi.idet.multiple.current_frame:file=-"),
            "-f", "null", "-"});
    return run(command).text;
}

std::string deinterlacing(const VideoInfo& info, Deinterlace wanted)
{
    if (info.fields == Fields::none && wanted == Deinterlace::where_needed) return "";
    return str("bwdif=mode=send_frame:deint=all:parity=", info.fields == Fields::bottom_first ? "bff" : "tff", ",");
}

std::string scaling(const VideoInfo& info)
{
    const VideoFormat& format = info.format;
    std::string scale =
        str("scale=", format.W, ":", format.H, ":flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp");
    if (is_rgb(info.pixel_format)) return scale;
    scale += ":in_color_matrix=" + scaler_matrix(format.tags, format.H);
    return format.tags.range.empty() ? scale : scale + ":in_range=" + format.tags.range;
}

std::optional<ToneMapping> tone_mapping_of(const ColorTags& tags)
{
    if (hdr_of(tags).empty()) return {};
    return ToneMapping(tags);
}

/// Frames go to the pipe, their times as lines of ffmpeg's framecrc into the notes. The sound is read beside them so
/// that ffmpeg sees the same packets as when the sound is copied, and sets joined recordings right in the same way.
Words decode_command(const fs::path& path, const VideoInfo& info, const ReaderOptions& options, bool sixteen_bits)
{
    const std::string filter = str("[0:", info.video_stream, "]", deinterlacing(info, options.deinterlace),
                                   scaling(info), ",setsar=1,format=", sixteen_bits ? "bgr48le" : "bgr24",
                                   ",split[frames][corner];[corner]crop=1:1:0:0[times]");
    Words command = {"ffmpeg", "-nostdin", "-v", "repeat+error"};
    append(command, input_options(path));
    append(command, {"-filter_complex", filter});
    append(command, {"-map", "[times]", "-fps_mode", "passthrough", "-enc_time_base", "1:1000000", "-c:v", "rawvideo",
                     "-flush_packets", "1", "-f", "framecrc", "pipe:3"});
    append(command, {"-map", "[frames]", "-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1"});
    bool any = false;
    for (const Stream& stream : info.others) {
        if (stream.kind != StreamKind::sound || stream.codec.empty()) continue;
        append(command, {"-map", str("0:", stream.index)});
        any = true;
    }
    if (any) append(command, {"-c", "copy", "-f", "null", "-"});
    return command;
}

VideoInfo look_at(const fs::path& path, const ReaderOptions& options)
{
    VideoInfo info = probe(path);
    const std::int64_t H = info.format.H, W = info.format.W;
    BIFRONS_CHECK(data, H < 1 || W <= options.max_pixels / H, path.string(), ": has frames of ", W, "x", H,
                  " pixels; expected at most ", options.max_pixels, " in all. --max-pixels allows more.");
    info.fields = look_at_fields(path, info);
    return info;
}

/// "1:02.5"
std::string moment(double seconds)
{
    char text[32];
    std::snprintf(text, sizeof text, "%d:%04.1f", int(seconds / 60), std::fmod(seconds, 60.0));
    return text;
}

} // namespace

Fields look_at_fields(const fs::path& path, const VideoInfo& info)
{
    constexpr std::int64_t kMostRows = 1088; // there is no interlaced format above
    constexpr int kFrames = 30;              // from each of three places
    constexpr double kEnough = 8;            // frames that show what they are
    if (info.format.H > kMostRows) return info.fields;
    const bool tagged = info.fields != Fields::none;
    // The tag is believed unless the frames clearly say otherwise, so one that says interlaced is denied only by
    // frames that nearly all look progressive.
    const double threshold = tagged ? 1.04 : 1.25, share = tagged ? 0.05 : 0.25;
    const double seconds = double(info.frames) / info.format.rate.value();
    const bool is_short = info.frames < 6 * kFrames;
    std::string looks;
    for (const double place : {0.0, 0.4, 0.8})
        if (!is_short || place == 0)
            looks += looks_of_frames(path, info, place * seconds, is_short ? 3 * kFrames : kFrames, threshold);
    const double top = double(count_of(looks, "current_frame=tff")),
                 bottom = double(count_of(looks, "current_frame=bff")),
                 progressive = double(count_of(looks, "current_frame=progressive"));
    if (top + bottom + progressive < kEnough) return info.fields;
    if (top + bottom <= share * (top + bottom + progressive)) return Fields::none;
    return top >= bottom ? Fields::top_first : Fields::bottom_first;
}

VideoReader::VideoReader(const fs::path& path, const ReaderOptions& options)
    : VideoReader(path, options, look_at(path, options))
{
    remark();
}

VideoReader::VideoReader(const fs::path& path, const ReaderOptions& options, const VideoInfo& found)
    : path_(path), options_(options), found_(found), info_(found), tone_mapping_(tone_mapping_of(found.format.tags)),
      sixteen_bits_(tone_mapping_ || (options.deep && found.format.bits > 8))
{
    if (!tone_mapping_ || options_.deep) return;
    info_.format.tags = {.range = "tv", .matrix = "bt709", .primaries = "bt709", .transfer = "bt709"};
    info_.format.bits = 8;
}

VideoReader VideoReader::again() const
{
    ReaderOptions options = options_;
    options.deep = false;
    return VideoReader(path_, options, found_);
}

/// What is seen when the file is opened.
void VideoReader::remark()
{
    remarks_ = found_.remarks;
    if (!found_.damage.empty()) damaged(found_.damage);
    if (tone_mapping_ && !options_.deep)
        remarks_.push_back(
            str("is of high dynamic range (", hdr_of(found_.format.tags), "); its frames are tone-mapped to BT.709"));
    if (has_alpha(found_.pixel_format)) remarks_.emplace_back("has an alpha channel, which is left out");
    if (found_.fields != Fields::none)
        remarks_.push_back(str("is interlaced (", found_.fields == Fields::top_first ? "top" : "bottom",
                               " field first); its frames are deinterlaced, one for each frame"));
}

bool VideoReader::next(Image& frame)
{
    if (ended_) return false;
    if (!decoder_)
        decoder_ =
            std::make_unique<Process>(decode_command(path_, found_, options_, sixteen_bits_), Process::Pipe::from);
    if (!read_pixels(frame)) {
        end();
        return false;
    }
    ++frames_;
    read_time();
    listen();
    return true;
}

/// False at the end.
bool VideoReader::read_pixels(Image& frame)
{
    const std::int64_t H = info_.format.H, W = info_.format.W;
    if (!sixteen_bits_) {
        frame = Image(H, W, 3);
        return decoder_->read(frame.pixels.data(), frame.pixels.size()) == frame.pixels.size();
    }
    deep_ = DeepImage(H, W, 3);
    const std::size_t bytes = 2 * deep_.pixels.size();
    if (decoder_->read(deep_.pixels.data(), bytes) < bytes) return false;
    frame = tone_mapping_ ? (*tone_mapping_)(deep_) : to_bytes(deep_);
    if (!options_.deep) deep_ = DeepImage(0, 0, 3);
    return true;
}

/// The line "0, <decoding time>, <time>, ..." of this frame: ffmpeg may write it a moment after the frame.
void VideoReader::read_time()
{
    constexpr int kTries = 60000; // of a millisecond: on a machine with much else to do ffmpeg may lose its processor
    for (int i = 0; i < kTries; ++i) {
        for (std::size_t end = times_.find('\n'); end != std::string::npos; end = times_.find('\n')) {
            const std::string line = times_.substr(0, end);
            times_.erase(0, end + 1);
            long long decoded = 0, shown = 0;
            if (std::sscanf(line.c_str(), "0, %lld, %lld", &decoded, &shown) != 2) continue;
            time_s_ = double(shown) / 1e6;
            return;
        }
        const std::string more = decoder_->notes(times_read_);
        times_read_ += std::int64_t(more.size());
        times_ += more;
        if (more.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    throw Error(ErrorKind::failed, str(path_.string(), ": ffmpeg does not tell the time of frame ", frames_ - 1,
                                       "; expected a line of its format framecrc. Use ffmpeg 5.1 or newer."));
}

/// Notes when ffmpeg complains: it is up to some twenty frames ahead of us.
void VideoReader::listen()
{
    const std::int64_t bytes = decoder_->said();
    if (bytes == told_.bytes) return;
    told_.bytes = bytes;
    told_.last_s = time_s_;
    if (told_.first_s < 0) told_.first_s = time_s_;
    BIFRONS_CHECK(data, !options_.strict, path_.string(), ": is damaged at about ", moment(time_s_), " (",
                  decoder_->complaint(), "). Without --strict, what can be decoded is used.");
}

void VideoReader::damaged(const std::string& what)
{
    BIFRONS_CHECK(data, !options_.strict, path_.string(), ": ", what,
                  ". Without --strict, what can be decoded is used.");
    remarks_.push_back(what);
}

void VideoReader::end()
{
    ended_ = true;
    const int status = decoder_->wait();
    const std::int64_t complaints = decoder_->lines_said();
    if (frames_ == 0) check_program(decoder_->complaint());
    BIFRONS_CHECK(data, frames_ > 0, path_.string(), ": none of ", info_.frames, " frames could be decoded (",
                  decoder_->reason(), "); the file is truncated or damaged");
    // Field pictures and hidden frames give fewer frames than packets, silently; damage does not keep silent.
    if (complaints == 0 && status == 0) return;
    if (told_.first_s < 0) told_.first_s = time_s_;
    if (decoder_->said() > told_.bytes) told_.last_s = time_s_;
    damaged(str("is damaged: ffmpeg complained ", complaints, " times, from about ", moment(told_.first_s), " to ",
                moment(told_.last_s), " (", decoder_->reason(), "); ", frames_, " of ", info_.frames,
                " frames were decoded, and some of them may be broken"));
}

std::vector<std::string> VideoReader::remarks()
{
    return std::exchange(remarks_, {});
}

} // namespace bifrons::data
