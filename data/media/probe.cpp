// data/media/probe.cpp - what a video file holds, as ffprobe tells.
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

std::string tag(const Json& stream, const char* key)
{
    const std::string value = stream.value(key, std::string());
    return value == "unknown" || value == "reserved" ? "" : value;
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
    std::vector<double> times = {}; ///< s, of the shown ones, sorted; empty where the file has none
};

/// From lines "<time>,<flags>"; the flag D marks packets that are decoded and not shown.
Packets parse_packets(const std::string& lines)
{
    Packets packets;
    std::istringstream in(lines);
    for (std::string line; std::getline(in, line);) {
        if (line.find(',') == std::string::npos) continue;
        ++packets.all;
        if (line.find('D', line.find(',')) != std::string::npos) continue;
        ++packets.shown;
        char* end = nullptr;
        const double time = std::strtod(line.c_str(), &end);
        if (*end == ',') packets.times.push_back(time);
    }
    if (std::int64_t(packets.times.size()) < packets.shown) packets.times.clear();
    std::sort(packets.times.begin(), packets.times.end());
    return packets;
}

bool varies(const std::vector<double>& seconds)
{
    if (seconds.size() < 3) return false;
    const double mean = (seconds.back() - seconds.front()) / double(seconds.size() - 1);
    for (std::size_t i = 0; i < seconds.size(); ++i)
        if (std::abs(seconds[i] - seconds.front() - mean * double(i)) > mean) return true;
    return false;
}

/// The nominal rate where the frames keep to it, else the mean rate.
Rational rate(const Json& stream, const std::vector<double>& seconds)
{
    const Rational nominal = fraction(stream, "r_frame_rate"), mean = fraction(stream, "avg_frame_rate");
    if (seconds.size() < 2) return mean.num ? mean : nominal.num ? nominal : Rational{25, 1};
    const double span = seconds.back() - seconds.front(), steps = double(seconds.size() - 1);
    for (const Rational& r : {nominal, mean})
        if (r.num && std::abs(r.value() * span - steps) < 1.5) return r;
    return {std::llround(1000 * steps / span), 1000};
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

VideoFormat format_of(const Json& stream)
{
    VideoFormat format;
    format.H = stream.value("height", 0);
    format.W = stream.value("width", 0);
    const Rational aspect = fraction(stream, "sample_aspect_ratio");
    if (aspect.num) format.sample_aspect = aspect;
    if (is_turned(stream)) {
        std::swap(format.H, format.W);
        std::swap(format.sample_aspect.num, format.sample_aspect.den);
    }
    format.range = tag(stream, "color_range");
    format.matrix = tag(stream, "color_space");
    format.primaries = tag(stream, "color_primaries");
    format.transfer = tag(stream, "color_transfer");
    return format;
}

/// The first stream of pictures that is not a cover.
const Json& video_stream(const Json& answer, const std::string& name)
{
    for (const Json& stream : answer.at("streams"))
        if (stream.value("codec_type", "") == "video" && stream["disposition"].value("attached_pic", 0) == 0)
            return stream;
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

VideoInfo probe(const std::filesystem::path& path)
{
    check_file(path);
    const std::string name = path.string();
    const Json answer = Json::parse(ask(name, {"-show_format", "-show_streams", "-of", "json"}));
    // ffmpeg draws text files as video (format tty), which is never wanted.
    BIFRONS_CHECK(data, answer.at("format").value("format_name", "") != "tty", name,
                  ": is a text file; expected a video file");
    const Json& stream = video_stream(answer, name);
    const Packets packets = parse_packets(ask(name, {"-select_streams", str(stream.at("index").get<int>()),
                                                     "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0"}));
    VideoInfo info;
    info.format = format_of(stream);
    info.format.rate = rate(stream, packets.times);
    info.codec = stream.value("codec_name", "");
    info.pixel_format = stream.value("pix_fmt", "");
    info.bits = bits_of(stream);
    info.frames = packets.shown;
    info.variable_rate = varies(packets.times);
    const double start = number(stream, "start_time") - number(answer.at("format"), "start_time");
    info.start_s = std::isnan(start) ? 0 : start;
    for (const Json& other : answer.at("streams"))
        if (other.value("codec_type", "") == "audio") info.audio.push_back(other.value("codec_name", "unknown"));

    BIFRONS_CHECK(data, info.format.H > 0 && info.format.W > 0 && packets.shown > 0, name,
                  ": holds a video stream without a picture; the file is truncated or damaged");
    // AVI headers count a frame or two too many.
    const double promised = number(stream, "nb_frames");
    BIFRONS_CHECK(data, std::isnan(promised) || double(packets.all) + 2 >= promised, name, ": holds ", packets.all,
                  " of the ", promised, " frames that its header announces; the file is truncated");
    return info;
}

} // namespace bifrons::data
