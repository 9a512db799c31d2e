// data/media/probe.cpp - what a video file holds, as ffprobe tells.
#include "data/media/process.h"
#include "data/media/video.h"
#include "kernels/base/error.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <regex>

namespace bifrons::data {

namespace {

using Json = nlohmann::json;

/// Numbers are strings in ffprobe's answer; "N/A" and absent ones give NaN.
double number(const Json& object, const char* key)
{
    const std::string text = object.value(key, std::string("nan"));
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    return end == text.c_str() ? std::nan("") : value;
}

/// "30000/1001" or "1:1"; {0, 1} when it is not a positive fraction.
Rational fraction(const Json& object, const char* key)
{
    const std::string text = object.value(key, std::string());
    char* end = nullptr;
    const std::int64_t num = std::strtoll(text.c_str(), &end, 10);
    const std::int64_t den = *end != '\0' ? std::strtoll(end + 1, nullptr, 10) : 0;
    return num > 0 && den > 0 ? Rational{num, den} : Rational{0, 1};
}

std::string word(const Json& object, const char* key)
{
    return object.is_object() ? object.value(key, std::string()) : "";
}

std::string color_tag(const Json& stream, const char* key)
{
    const std::string value = word(stream, key);
    return value == "unknown" || value == "reserved" ? "" : value;
}

bool is_cover(const Json& stream)
{
    return stream.contains("disposition") && stream["disposition"].value("attached_pic", 0) != 0;
}

/// Turns by a quarter swap width and height.
bool is_turned(const Json& stream)
{
    for (const Json& side : stream.value("side_data_list", Json::array()))
        if (side.contains("rotation")) return std::abs(side["rotation"].get<int>()) % 180 == 90;
    return false;
}

struct Packets {
    std::int64_t all = 0, shown = 0;
    /// s, of the shown ones, sorted; a new run begins where the time stamps start again, as in joined recordings. Empty
    /// where the file has none.
    std::vector<std::vector<double>> runs = {};
};

/// The number at `from`, up to a comma; NaN where there is none.
double seconds(const std::string& line, std::size_t from)
{
    char* end = nullptr;
    const double value = std::strtod(line.c_str() + from, &end);
    return *end == ',' && end != line.c_str() + from ? value : std::nan("");
}

/// From lines "<time>,<decoding time>,<flags>"; the flag D marks packets that are decoded and not shown.
Packets parse_packets(const std::string& lines)
{
    constexpr double kBack = 0.1; // s: ffmpeg's own threshold for a new start
    Packets packets;
    bool all_timed = true;
    double last = -HUGE_VAL;
    std::istringstream in(lines);
    for (std::string line; std::getline(in, line);) {
        const std::size_t first = line.find(','), second = line.find(',', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        ++packets.all;
        const double shown = seconds(line, 0), decoded = seconds(line, first + 1);
        // Nothing is shown before it is decoded: an earlier time belongs to the new start, whatever ffprobe made of the
        // other one.
        const double earliest = shown < decoded ? shown : decoded;
        if (packets.runs.empty() || earliest < last - kBack) packets.runs.emplace_back();
        if (!std::isnan(earliest)) last = earliest;
        if (line.find('D', second) != std::string::npos) continue;
        ++packets.shown;
        all_timed = all_timed && !std::isnan(shown);
        packets.runs.back().push_back(shown);
    }
    if (!all_timed) packets.runs.clear();
    for (std::vector<double>& run : packets.runs) std::sort(run.begin(), run.end());
    return packets;
}

/// Every frame is within a quarter of a frame of its place.
bool keeps_to(const Rational& rate, const std::vector<std::vector<double>>& runs)
{
    for (const std::vector<double>& run : runs)
        for (std::size_t i = 0; i < run.size(); ++i)
            if (std::abs((run[i] - run[0]) * rate.value() - double(i)) > 0.25) return false;
    return true;
}

/// The middle one of the distances between neighbours; 0 without any.
double usual_step(const std::vector<std::vector<double>>& runs)
{
    std::vector<double> steps;
    for (const std::vector<double>& run : runs)
        for (std::size_t i = 1; i < run.size(); ++i) steps.push_back(run[i] - run[i - 1]);
    if (steps.empty()) return 0;
    const auto middle = steps.begin() + std::ptrdiff_t(steps.size() / 2);
    std::nth_element(steps.begin(), middle, steps.end());
    return *middle;
}

/// The rate that the frames keep to: the file's word or a usual one; else the rate of the usual frame, by the file's
/// word if that is near.
void set_rate(VideoFormat& format, const Json& stream, const std::vector<std::vector<double>>& runs)
{
    const Rational nominal = fraction(stream, "r_frame_rate"), mean = fraction(stream, "avg_frame_rate");
    const double step = usual_step(runs);
    if (step <= 0) {
        format.rate = mean.num ? mean : nominal.num ? nominal : Rational{25, 1};
        return;
    }
    for (const Rational& rate :
         {nominal, mean, Rational{24000, 1001}, Rational{24, 1}, Rational{25, 1}, Rational{30000, 1001},
          Rational{30, 1}, Rational{50, 1}, Rational{60000, 1001}, Rational{60, 1}})
        if (rate.num && keeps_to(rate, runs)) {
            format.rate = rate;
            return;
        }
    format.rate = {std::llround(1000 / step), 1000};
    format.variable_rate = !keeps_to(format.rate, runs);
    for (const Rational& rate : {mean, nominal})
        if (rate.num && std::abs(rate.value() * step - 1) < 0.02) format.rate = rate;
}

/// As the decoder says, else as the name of the pixels' format does: yuv420p10le, p010le, rgb48be.
int bits_of(const Json& stream)
{
    const double said = number(stream, "bits_per_raw_sample");
    if (said > 0) return int(said);
    std::smatch match;
    const std::string format = stream.value("pix_fmt", "");
    if (std::regex_search(format, std::regex("(48|64)[lb]e$"))) return 16;
    return std::regex_search(format, match, std::regex("(9|1[0246])[lb]e$")) ? std::stoi(match[1]) : 8;
}

/// The size of the upright picture when pixels are square: the short side of a pixel is stretched, never the long one
/// shrunk. A stated shape beyond 1:4 is no real one.
void set_size(VideoInfo& info, const Json& stream)
{
    VideoFormat& format = info.format;
    format.H = stream.value("height", 0);
    format.W = stream.value("width", 0);
    const Rational aspect = fraction(stream, "sample_aspect_ratio");
    if (aspect.num) info.sample_aspect = aspect;
    if (is_turned(stream)) {
        std::swap(format.H, format.W);
        std::swap(info.sample_aspect.num, info.sample_aspect.den);
    }
    const double shape = info.sample_aspect.value();
    if (shape > 4 || shape < 0.25) info.sample_aspect = {1, 1};
    std::int64_t& stretched = shape > 1 ? format.W : format.H;
    const std::int64_t size = std::llround(double(stretched) * std::max(shape, 1 / shape) / 2) * 2;
    if (info.sample_aspect.num == info.sample_aspect.den || std::abs(size - stretched) <= 1) return;
    stretched = size;
    info.remarks.push_back(str("has pixels that are not square (", info.sample_aspect.num, ":", info.sample_aspect.den,
                               "); its frames are stretched to ", format.W, "x", format.H));
}

/// The colours that frames are converted with. RGB has no matrix: it gets the one that YUV of its size has.
void set_colors(VideoInfo& info, const Json& stream)
{
    ColorTags tags = {.range = color_tag(stream, "color_range"),
                      .matrix = color_tag(stream, "color_space"),
                      .primaries = color_tag(stream, "color_primaries"),
                      .transfer = color_tag(stream, "color_transfer")};
    if (is_rgb(info.pixel_format)) {
        tags.range = "tv";
        tags.matrix = matrix_for(info.format.H);
    }
    if (tags.matrix == "gbr") tags.matrix.clear();
    std::vector<std::string> dropped;
    info.format.tags = known_tags(tags, &dropped);
    for (const std::string& tag : dropped)
        info.remarks.push_back(
            str("is tagged with the colour \"", tag, "\", which ffmpeg cannot write; it is left out"));
    info.format.chroma = chroma_of(info.pixel_format);
    info.format.bits = bits_of(stream);
}

Fields fields_of(const Json& stream)
{
    const std::string order = word(stream, "field_order"); // of coding, then of display
    if (order == "tt" || order == "bt") return Fields::top_first;
    return order == "bb" || order == "tb" ? Fields::bottom_first : Fields::none;
}

Stream other_stream(const Json& stream)
{
    const std::string type = word(stream, "codec_type");
    Stream other;
    other.index = stream.at("index").get<int>();
    other.codec = word(stream, "codec_name");
    const bool silent = type == "audio" && !(number(stream, "sample_rate") > 0);
    if (other.codec == "unknown" || other.codec == "none" || silent) other.codec.clear();
    if (stream.contains("tags")) other.language = word(stream["tags"], "language");
    if (other.language == "und") other.language.clear();
    other.kind = type == "audio"        ? StreamKind::sound
                 : type == "subtitle"   ? StreamKind::subtitles
                 : type == "attachment" ? StreamKind::attachment
                 : type != "video"      ? StreamKind::data
                                        : StreamKind::video;
    if (type == "video" && is_cover(stream)) other.kind = StreamKind::cover;
    if (word(stream, "codec_tag_string") == "tmcd") other.kind = StreamKind::timecode;
    return other;
}

/// Chapters of .mp4 and .mov are a text stream, too, which is not to be copied beside them.
bool is_chapter_text(const Json& stream, const Json& answer)
{
    return word(stream, "codec_type") == "data" && word(stream, "codec_tag_string") == "text" &&
           !answer.value("chapters", Json::array()).empty();
}

void set_others(VideoInfo& info, const Json& answer)
{
    for (const Json& stream : answer.at("streams"))
        if (stream.at("index").get<int>() != info.video_stream && !is_chapter_text(stream, answer))
            info.others.push_back(other_stream(stream));
    info.chapters = std::int64_t(answer.value("chapters", Json::array()).size());
    const auto look = [&](const Json& object) {
        for (const char* key : {"timecode", "TIMECODE"})
            if (object.contains("tags") && info.timecode.empty()) info.timecode = word(object["tags"], key);
    };
    look(answer.at("format"));
    for (const Json& stream : answer.at("streams")) look(stream);
}

/// The first stream of pictures that is not a cover.
const Json& video_stream(const Json& answer, const std::string& name)
{
    for (const Json& stream : answer.at("streams"))
        if (word(stream, "codec_type") == "video" && !is_cover(stream)) return stream;
    throw Error(ErrorKind::data, str(name, ": holds no video; expected a file with a video stream"));
}

std::string ask(const std::string& name, const std::vector<std::string>& what)
{
    // The prefix keeps a name from being taken for an option, an address or a pattern.
    std::vector<std::string> command = {"ffprobe", "-v", "error", "-protocol_whitelist", "file"};
    command.insert(command.end(), what.begin(), what.end());
    command.push_back("file:" + name);
    const Output output = run(command);
    BIFRONS_CHECK(data, output.status == 0, name, ": cannot be read as video (", output.complaint,
                  "); expected a video file. It may be truncated or not a video.");
    return output.text;
}

void check_file(const std::filesystem::path& path)
{
    const std::string name = path.string();
    std::error_code ignored;
    BIFRONS_CHECK(data, std::filesystem::exists(path, ignored), name,
                  ": does not exist; expected a video file. Check the name.");
    BIFRONS_CHECK(data, std::filesystem::is_regular_file(path, ignored), name,
                  ": is not a regular file; expected a video file");
    BIFRONS_CHECK(data, std::filesystem::file_size(path, ignored) > 0, name, ": is empty; expected a video file");
}

} // namespace

const char* name_of(StreamKind kind)
{
    switch (kind) {
    case StreamKind::sound:
        return "sound";
    case StreamKind::subtitles:
        return "subtitles";
    case StreamKind::cover:
        return "cover picture";
    case StreamKind::attachment:
        return "attachment";
    case StreamKind::timecode:
        return "timecode";
    case StreamKind::data:
        return "data";
    case StreamKind::video:
        return "further video";
    }
    return "";
}

std::vector<std::string> VideoInfo::codecs(StreamKind kind) const
{
    std::vector<std::string> codecs;
    for (const Stream& stream : others)
        if (stream.kind == kind) codecs.push_back(stream.codec);
    return codecs;
}

VideoInfo probe(const std::filesystem::path& path)
{
    check_file(path);
    const std::string name = path.string();
    const Json answer = Json::parse(ask(name, {"-show_format", "-show_streams", "-show_chapters", "-of", "json"}));
    // ffmpeg draws text files as video (format tty), which is never wanted.
    BIFRONS_CHECK(data, answer.at("format").value("format_name", "") != "tty", name,
                  ": is a text file; expected a video file");
    const Json& stream = video_stream(answer, name);
    VideoInfo info;
    info.video_stream = stream.at("index").get<int>();
    const Packets packets = parse_packets(ask(name, {"-select_streams", str(info.video_stream), "-show_entries",
                                                     "packet=pts_time,dts_time,flags", "-of", "csv=p=0"}));
    info.codec = word(stream, "codec_name");
    info.pixel_format = word(stream, "pix_fmt");
    info.frames = packets.shown;
    info.fields = fields_of(stream);
    set_size(info, stream);
    set_rate(info.format, stream, packets.runs);
    set_colors(info, stream);
    set_others(info, answer);

    BIFRONS_CHECK(data, info.format.H > 0 && info.format.W > 0 && packets.shown > 0, name,
                  ": holds a video stream without a picture; the file is truncated or damaged");
    // AVI headers count a frame or two too many.
    const double promised = number(stream, "nb_frames");
    if (double(packets.all) + 2 < promised)
        info.damage = str("holds ", packets.all, " of the ", promised,
                          " frames that its header announces; the file is truncated");
    return info;
}

} // namespace bifrons::data
