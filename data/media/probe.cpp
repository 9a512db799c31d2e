// data/media/probe.cpp - what a video file holds, as ffprobe tells.
#include "data/media/input.h"
#include "data/media/process.h"
#include "data/media/rate.h"
#include "data/media/video.h"
#include "engine/json.h"
#include "kernels/base/error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <regex>

namespace bifrons::data {

namespace {

using Json = nlohmann::json;

// ffprobe's answer tells of a file that may be damaged or hostile: what is absent, of another type or beyond all reason
// counts as not said.

constexpr double kLongest_s = 1e9; ///< no time stamp is larger

std::string word(const Json& object, const char* key)
{
    const auto found = object.find(key); // the end, where it is no object
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

/// 0 where there is none.
std::int64_t integer(const Json& object, const char* key)
{
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_integer()) return 0;
    const auto value = found->get<std::int64_t>();
    return value >= -kMost && value <= kMost ? value : 0;
}

/// A member of an object; null where there is none.
const Json& member(const Json& object, const char* key)
{
    static const Json none;
    const auto found = object.find(key);
    return found != object.end() ? *found : none;
}

/// Most numbers are strings in ffprobe's answer; NaN where there is none.
double number(const Json& object, const char* key)
{
    const std::string text = word(object, key);
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    return end != text.c_str() && std::abs(value) < 1e15 ? value : std::nan("");
}

/// "30000/1001" or "1:1"; {0, 1} when it is not a positive fraction of numbers as ffmpeg has them.
Rational fraction(const Json& object, const char* key)
{
    const std::string text = word(object, key);
    char* end = nullptr;
    const std::int64_t num = std::strtoll(text.c_str(), &end, 10);
    const std::int64_t den = *end == '/' || *end == ':' ? std::strtoll(end + 1, nullptr, 10) : 0;
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
    return num > 0 && den > 0 && num <= kMost && den <= kMost ? Rational{num, den} : Rational{0, 1};
}

/// {0, 1} where the file says none that can be.
Rational rate(const Json& stream, const char* key)
{
    const Rational said = fraction(stream, key);
    return said.value() > kSlowestRate && said.value() < kFastestRate ? said : Rational{0, 1};
}

std::string color_tag(const Json& stream, const char* key)
{
    const std::string value = word(stream, key);
    return value == "unknown" || value == "reserved" ? "" : value;
}

bool is_cover(const Json& stream)
{
    return integer(member(stream, "disposition"), "attached_pic") != 0;
}

/// Turns by a quarter swap width and height.
bool is_turned(const Json& stream)
{
    for (const Json& side : member(stream, "side_data_list"))
        if (side.contains("rotation")) return std::abs(integer(side, "rotation")) % 180 == 90;
    return false;
}

struct Packets {
    std::int64_t all = 0, shown = 0;
    /// s, of the shown ones, sorted; a new run begins where the time stamps start again, as in joined recordings. Empty
    /// where the file has none.
    std::vector<std::vector<double>> runs = {};
};

/// The number at `from`, up to a comma; NaN where there is none that can be a time.
double seconds(const std::string& line, std::size_t from)
{
    char* end = nullptr;
    const double value = std::strtod(line.c_str() + from, &end);
    const bool is_time = *end == ',' && end != line.c_str() + from && std::abs(value) < kLongest_s;
    return is_time ? value : std::nan("");
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

/// As the decoder says, else as the name of the pixels' format does: yuv420p10le, p010le, rgb48be.
int bits_of(const Json& stream)
{
    const double said = number(stream, "bits_per_raw_sample");
    if (said >= 1 && said <= 32) return int(said);
    std::smatch match;
    const std::string format = word(stream, "pix_fmt");
    if (std::regex_search(format, std::regex("(48|64)[lb]e$"))) return 16;
    return std::regex_search(format, match, std::regex("(9|1[0246])[lb]e$")) ? std::stoi(match[1]) : 8;
}

/// The size of the upright picture when pixels are square: the short side of a pixel is stretched, never the long one
/// shrunk. A stated shape beyond 1:4 is no real one.
void set_size(VideoInfo& info, const Json& stream)
{
    VideoFormat& format = info.format;
    format.H = integer(stream, "height");
    format.W = integer(stream, "width");
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
    other.index = int(integer(stream, "index"));
    other.codec = word(stream, "codec_name");
    const bool silent = type == "audio" && !(number(stream, "sample_rate") > 0);
    if (other.codec == "unknown" || other.codec == "none" || silent) other.codec.clear();
    other.language = word(member(stream, "tags"), "language");
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
           !member(answer, "chapters").empty();
}

void set_others(VideoInfo& info, const Json& answer)
{
    for (const Json& stream : member(answer, "streams"))
        if (integer(stream, "index") != info.video_stream && !is_chapter_text(stream, answer))
            info.others.push_back(other_stream(stream));
    info.chapters = std::int64_t(member(answer, "chapters").size());
    const auto look = [&](const Json& object) {
        for (const char* key : {"timecode", "TIMECODE"})
            if (info.timecode.empty()) info.timecode = word(member(object, "tags"), key);
    };
    look(member(answer, "format"));
    for (const Json& stream : member(answer, "streams")) look(stream);
}

/// The first stream of pictures that is not a cover.
const Json& video_stream(const Json& answer, const std::string& name)
{
    for (const Json& stream : member(answer, "streams"))
        if (word(stream, "codec_type") == "video" && !is_cover(stream)) return stream;
    throw Error(ErrorKind::data, str(name, ": holds no video; expected a file with a video stream"));
}

/// A picture under a video's name, of which ffmpeg would show one tile: AVIF or HEIC, as telephones write it.
void refuse_tiles(const Json& answer, const std::string& name)
{
    std::int64_t tiles = 0;
    for (const Json& stream : member(answer, "streams"))
        tiles += word(stream, "codec_type") == "video" && number(stream, "nb_frames") == 1 &&
                 integer(member(stream, "disposition"), "dependent") != 0;
    BIFRONS_CHECK(data, tiles < 2, name, ": is a picture of ", tiles,
                  " tiles and no video. Give it the ending .heic or .avif.");
}

std::string ask(const std::string& name, const Words& what)
{
    Words command = {"ffprobe", "-v", "error"};
    append(command, what);
    append(command, input_options(name));
    const Output output = run(command);
    BIFRONS_CHECK(data, output.status == 0 || !is_refused_format(output.complaint), name,
                  ": is a playlist, or of a format that is not read; expected a file that holds its own video: MP4, "
                  "MOV, MKV, WebM, AVI, MPEG or the like");
    if (output.status != 0) check_program(output.complaint);
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

VideoInfo read_probe(const std::string& said, const std::function<std::string(int)>& packets_of,
                     const std::string& name)
{
    const Json answer = parse_json(said, name + ": ffprobe's answer");
    // ffmpeg draws text files as video (format tty), which is never wanted.
    BIFRONS_CHECK(data, word(member(answer, "format"), "format_name") != "tty", name,
                  ": is a text file; expected a video file");
    refuse_tiles(answer, name);
    const Json& stream = video_stream(answer, name);
    VideoInfo info;
    info.video_stream = int(integer(stream, "index"));
    const Packets packets = parse_packets(packets_of(info.video_stream));
    info.codec = word(stream, "codec_name");
    info.pixel_format = word(stream, "pix_fmt");
    info.frames = packets.shown;
    info.fields = fields_of(stream);
    set_size(info, stream);
    set_rate(info.format, rate(stream, "r_frame_rate"), rate(stream, "avg_frame_rate"), packets.runs);
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

VideoInfo probe(const std::filesystem::path& path)
{
    check_file(path);
    const std::string name = path.string();
    const auto packets_of = [&](int stream) {
        return ask(name, {"-select_streams", str(stream), "-show_entries", "packet=pts_time,dts_time,flags", "-of",
                          "csv=p=0"});
    };
    return read_probe(ask(name, {"-show_format", "-show_streams", "-show_chapters", "-of", "json"}), packets_of, name);
}

} // namespace bifrons::data
