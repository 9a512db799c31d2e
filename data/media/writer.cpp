// data/media/writer.cpp - writing video through ffmpeg.
#include "data/media/writer.h"

#include "kernels/base/error.h"

#include <algorithm>
#include <cmath>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

std::string container(const fs::path& path)
{
    const std::string ending = lower_ending(path);
    return ending == ".mkv" ? "matroska" : ending == ".mov" ? "mov" : "mp4";
}

/// Frames go to the encoder with 16 bits a channel.
bool is_deep(const VideoFormat& format)
{
    return format.bits > 8;
}

std::string pixels_for(const VideoFormat& format, const VideoOptions& options)
{
    if (options.pixels != "auto") return options.pixels;
    if (format.alpha) return "yuva444p10le";
    if (options.codec == "prores") return format.chroma == "444" ? "yuv444p10le" : "yuv422p10le";
    return str("yuv", format.chroma, "p", is_deep(format) ? "10le" : "");
}

bool needs_even(const std::string& pixels)
{
    return pixels.find("444") == std::string::npos;
}

/// How long a tick of the written time stamps lasts: a frame, or 1/90000 s where frames do not keep to a rate.
Rational tick_of(const VideoFormat& format)
{
    return format.variable_rate ? Rational{1, 90000} : Rational{format.rate.den, format.rate.num};
}

Words coding(const std::string& kind, const std::string& pixels, const VideoOptions& options)
{
    if (options.codec == "ffv1") return {"-c:v", "ffv1", "-level", "3"};
    if (options.codec == "prores")
        return {"-c:v", "prores_ks", "-profile:v", pixels.find("444") == std::string::npos ? "hq" : "4444"};
    Words words = {"-c:v", "lib" + options.codec, "-crf", str(options.crf), "-preset", options.preset};
    if (options.codec == "x265") {
        const char* lossless = options.crf == 0 ? ":lossless=1" : "";
        append(words, {"-x265-params", str("log-level=error", lossless)});
        if (kind != "matroska") append(words, {"-tag:v", "hvc1"}); // what Apple's players look for
    }
    return words;
}

/// Reads frames as IVF from the pipe: the simplest format that gives each its time.
Words encode_command(const fs::path& out, const std::string& kind, const VideoFormat& format,
                     const VideoOptions& options)
{
    const std::string pixels = pixels_for(format, options);
    const std::string range = format.tags.range.empty() ? "tv" : format.tags.range,
                      tagging = tagging_filter(format.tags);
    const std::string filter = str("scale=flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp:out_color_matrix=",
                                   scaler_matrix(format.tags, format.H), ":out_range=", range, ",format=", pixels,
                                   ",setsar=1", tagging.empty() ? "" : "," + tagging);
    const Rational tick = tick_of(format);
    Words command = {"ffmpeg", "-nostdin", "-v", "error", "-xerror", "-y"};
    append(command, {"-protocol_whitelist", "pipe", "-f", "ivf", "-c:v", "rawvideo", "-i", "pipe:0"});
    append(command, {"-vf", filter, "-pix_fmt", "+" + pixels});
    if (options.constant_rate) {
        append(command, {"-fps_mode", "cfr", "-r", str(format.rate.num, "/", format.rate.den)});
    } else {
        append(command, {"-fps_mode", "passthrough", "-enc_time_base", str(tick.num, ":", tick.den)});
        // Where frames do not keep to a rate, the last one would last no time. The unit is a tick.
        const double frame = 1 / (format.rate.value() * tick.value());
        if (format.variable_rate)
            append(command, {"-bsf:v", str("setts=pts=PTS:dts=DTS:duration=", std::llround(frame))});
    }
    append(command, coding(kind, pixels, options));
    for (const std::string& tag : metadata_tags(options.made)) append(command, {"-metadata", tag});
    append(command, {"-f", kind, "file:" + out.string()});
    return command;
}

void put(std::string& bytes, std::uint64_t value, int size)
{
    for (int i = 0; i < size; ++i) bytes += char((value >> (8 * i)) & 255);
}

std::string ivf_header(const VideoFormat& format)
{
    const Rational tick = tick_of(format);
    std::string bytes = "DKIF";
    put(bytes, 0, 2);
    put(bytes, 32, 2); // its own length
    // ffmpeg's names of BGR and BGRA with 16 and with 8 bits a channel.
    if (format.alpha) bytes += is_deep(format) ? "BRA\x40" : "BGRA";
    if (!format.alpha) bytes += is_deep(format) ? "BGR\x30" : "BGR\x18";
    put(bytes, std::uint64_t(format.W), 2);
    put(bytes, std::uint64_t(format.H), 2);
    put(bytes, std::uint64_t(tick.den), 4);
    put(bytes, std::uint64_t(tick.num), 4);
    put(bytes, 0, 8); // number of frames: not known
    return bytes;
}

std::string ivf_frame_header(std::size_t size, std::int64_t tick)
{
    std::string bytes;
    put(bytes, size, 4);
    put(bytes, std::uint64_t(tick), 8);
    return bytes;
}

/// The picture with its last column and row repeated up to H, W.
template <class T>
Picture<T> padded(const Picture<T>& image, std::int64_t H, std::int64_t W)
{
    Picture<T> larger(H, W, image.C);
    for (std::int64_t y = 0; y < H; ++y) {
        const T* row = image.at(std::min(y, image.H - 1), 0);
        std::copy_n(row, image.W * image.C, larger.at(y, 0));
        for (std::int64_t x = image.W; x < W; ++x) std::copy_n(row + (image.W - 1) * image.C, image.C, larger.at(y, x));
    }
    return larger;
}

std::int64_t channels_of(const VideoFormat& format)
{
    return format.alpha ? 4 : 3;
}

void check(const fs::path& path, const VideoFormat& format, const VideoOptions& options)
{
    BIFRONS_CHECK(usage, has_video_name(path), path.string(), ": unknown video format \"", path.extension().string(),
                  "\"; expected .mp4, .mov or .mkv");
    BIFRONS_CHECK(usage, options.crf >= 0 && options.crf <= 51, path.string(), ": crf is ", options.crf,
                  "; expected 0 to 51");
    const std::vector<std::string> codecs = {"x264", "x265", "prores", "ffv1"};
    BIFRONS_CHECK(usage, std::find(codecs.begin(), codecs.end(), options.codec) != codecs.end(), path.string(),
                  ": unknown codec \"", options.codec, "\"; expected x264, x265, prores or ffv1");
    const bool holds_alpha = (options.codec == "prores" || options.codec == "ffv1") && options.pixels == "auto";
    BIFRONS_CHECK(usage, !format.alpha || holds_alpha, path.string(), ": ", options.codec, " with pixel format ",
                  options.pixels, " holds no alpha; expected --codec prores (.mov) or ffv1 (.mkv), and --pix-fmt auto");
    BIFRONS_CHECK(data, format.H > 0 && format.W > 0 && format.H < 65536 && format.W < 65536, path.string(),
                  ": frames of ", format.W, "x", format.H, "; expected 1 to 65535 px a side");
    check_destination(path, options.existing);
}

/// Of frames as they are in the file: of even sizes where its pixels need that.
VideoFormat in_file(VideoFormat format, const VideoOptions& options)
{
    if (!needs_even(pixels_for(format, options))) return format;
    format.H += format.H % 2;
    format.W += format.W % 2;
    return format;
}

/// An encoder that frames can be sent to.
std::unique_ptr<Process> started(const Words& command, const VideoFormat& format)
{
    auto encoder = std::make_unique<Process>(command, Process::Pipe::into);
    const std::string header = ivf_header(format);
    encoder->write(header.data(), header.size()); // a failure shows with the first frame
    return encoder;
}

/// False when the encoder has ended.
bool send(Process& encoder, const void* pixels, std::size_t bytes, std::int64_t tick)
{
    const std::string header = ivf_frame_header(bytes, tick);
    return encoder.write(header.data(), header.size()) && encoder.write(pixels, bytes);
}

/// Frames in a file that we wrote; 0 when it cannot be read. ffmpeg 5 ends with 0 when the last bytes do not fit.
std::int64_t frames_in(const fs::path& path)
{
    try {
        return probe(path).frames;
    } catch (const Error&) {
        return 0;
    }
}

} // namespace

bool has_video_name(const fs::path& path)
{
    const std::string ending = lower_ending(path);
    return ending == ".mp4" || ending == ".mov" || ending == ".mkv";
}

void try_video(const fs::path& path, const VideoFormat& format, const VideoOptions& options)
{
    check(path, format, options);
    const Partial place(path.string(), Partial::Kind::folder);
    const VideoFormat written = in_file(format, options);
    const auto encoder = started(encode_command("/dev/null", container(path), written, options), written);
    const std::vector<std::uint8_t> black(
        std::size_t(written.H * written.W * channels_of(format) * (is_deep(format) ? 2 : 1)));
    send(*encoder, black.data(), black.size(), 0);
    const int status = encoder->wait();
    check_program(encoder->complaint());
    BIFRONS_CHECK(failed, status == 0, path.string(), ": ffmpeg cannot write ", options.codec, " with ",
                  pixels_for(format, options), " here (", encoder->reason(),
                  "). Choose another --codec, --pix-fmt or file ending.");
}

VideoWriter::VideoWriter(const fs::path& path, const VideoFormat& format, const VideoOptions& options)
    : path_(path), format_(format), written_(in_file(format, options)), options_(options)
{
    if (options.is_tried)
        check(path, format, options);
    else
        try_video(path, format, options);
    unfinished_.emplace(path.string(), Partial::Kind::folder);
    encoder_ = started(encode_command(video(), container(path), written_, options), written_);
}

void VideoWriter::fail(const std::string& reason) const
{
    throw Error(ErrorKind::failed,
                str(path_.string(), ": cannot be written: ", reason, ". The existing file is unchanged.",
                    is_disk_full(reason) ? " Check the free space." : ""));
}

/// Each frame has a later tick than the one before.
std::int64_t VideoWriter::tick_of(std::optional<double> time_s)
{
    const double from_start = time_s && start_s_ ? *time_s - *start_s_ : double(frames_) / format_.rate.value();
    const Rational tick = data::tick_of(format_);
    last_tick_ = std::max<std::int64_t>(last_tick_ + 1, std::llround(from_start * double(tick.den) / double(tick.num)));
    return last_tick_;
}

void VideoWriter::write(const Image& frame, std::optional<double> time_s)
{
    if (is_deep(format_)) return take(to_deep(frame), time_s);
    take(frame, time_s);
}

void VideoWriter::write(const DeepImage& frame, std::optional<double> time_s)
{
    if (is_deep(format_)) return take(frame, time_s);
    take(to_bytes(frame), time_s);
}

template <class T>
void VideoWriter::take(const Picture<T>& frame, std::optional<double> time_s)
{
    BIFRONS_CHECK(shape, frame.H == format_.H && frame.W == format_.W && frame.C == channels_of(format_),
                  path_.string(), ": frame [", frame.H, ",", frame.W, ",", frame.C, "]; expected [", format_.H, ",",
                  format_.W, ",", channels_of(format_), "]");
    if (frames_ == 0) start_s_ = time_s;
    const std::int64_t tick = tick_of(time_s);
    const bool as_is = written_.H == format_.H && written_.W == format_.W;
    const Picture<T> larger = as_is ? Picture<T>(0, 0, frame.C) : padded(frame, written_.H, written_.W);
    const std::vector<T>& pixels = as_is ? frame.pixels : larger.pixels;
    if (!send(*encoder_, pixels.data(), pixels.size() * sizeof(T), tick)) {
        encoder_->wait();
        const std::string reason = encoder_->reason();
        fail(reason.empty() ? str("ffmpeg ended after ", frames_, " frames and gave no reason") : reason);
    }
    ++frames_;
}

Carried VideoWriter::finish()
{
    if (encoder_->wait() != 0) fail(encoder_->reason());
    BIFRONS_CHECK(data, frames_ > 0, path_.string(), ": no frames given; nothing was written");
    const std::int64_t frames = frames_in(video());
    const bool complete = options_.constant_rate ? frames > 0 : frames == frames_;
    if (!complete) fail(str(frames, " of ", frames_, " frames are in the file"));
    const Carried carried = add_streams(frames);
    const std::string xmp = xmp_packet(options_.made);
    if (!xmp.empty() && container(path_) != "matroska") append_xmp_box(video(), xmp);
    check_destination(path_, options_.existing);
    rename_into_place(video(), path_);
    return carried;
}

Carried VideoWriter::add_streams(std::int64_t frames) const
{
    if (options_.source.empty()) return {};
    try {
        return carry_streams(options_.source, probe(options_.source), video(), frames, start_s_.value_or(0),
                             container(path_));
    } catch (const Error& error) {
        fail(error.what());
    }
}

std::string VideoWriter::description() const
{
    return str(options_.codec, ", ", pixels_for(format_, options_), ", ", written_.W, "x", written_.H, ", ",
               written_.rate.value(), " frames/s",
               written_.variable_rate && !options_.constant_rate ? " at a variable rate" : "");
}

} // namespace bifrons::data
