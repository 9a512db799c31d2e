// data/faceset_json.cpp - the records of a faceset as JSON.
#include "data/faceset_json.h"

#include "kernels/base/utf8.h"

#include <algorithm>
#include <cstdio>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

using Json = nlohmann::json;
constexpr std::int64_t kMany = std::int64_t(1) << 40;

std::string hexadecimal(std::uint64_t value)
{
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
    return text;
}

/// Names of files are bytes, and JSON is UTF-8.
std::vector<std::string> to_utf8(const std::vector<std::string>& names)
{
    std::vector<std::string> out;
    for (const std::string& name : names) out.push_back(bifrons::to_utf8(name));
    return out;
}

std::string name_in(const JsonReader& in, const char* field)
{
    return from_utf8(in.get<std::string>(field));
}

DroppedFace dropped_from(const JsonReader& in)
{
    const std::vector<double> rect = in.numbers("rect", 4);
    return {.frame = in.integer("frame", 0, kMany),
            .reason = in.get<std::string>("reason"),
            .score = in.get<double>("score"),
            .rect = {rect[0], rect[1], rect[2], rect[3]}};
}

} // namespace

bool is_file_name(const std::string& name)
{
    return !name.empty() && fs::path(name).filename() == name && name != "." && name != ".." &&
           name.find('\0') == std::string::npos; // where the system takes a name to end
}

Json to_json(const Landmarks& points)
{
    Json values = Json::array();
    for (const Point& p : points) values.insert(values.end(), {p.x, p.y});
    return values;
}

Json to_json(const Rect& rect)
{
    return {rect.left, rect.top, rect.right, rect.bottom};
}

/// A checksum.
std::uint64_t digits_in(const JsonReader& in, const char* key)
{
    const auto digits = in.get<std::string>(key);
    in.check(digits.size() == 16 && digits.find_first_not_of("0123456789abcdef") == std::string::npos, key, digits,
             "16 hexadecimal digits");
    return std::stoull(digits, nullptr, 16);
}

Json to_json(const SourceRecord& s)
{
    Json dropped = Json::array();
    for (const DroppedFace& d : s.dropped)
        dropped.push_back({{"frame", d.frame}, {"reason", d.reason}, {"score", d.score}, {"rect", to_json(d.rect)}});
    Json source = {{"name", bifrons::to_utf8(s.name)},
                   {"pictures", to_utf8(s.pictures)},
                   {"dropped", dropped},
                   {"path", bifrons::to_utf8(s.path)},
                   {"fingerprints", s.fingerprints},
                   {"frames", s.frames},
                   {"done", s.done},
                   {"complete", s.complete},
                   {"faces", s.counts.faces},
                   {"ignored", s.counts.ignored},
                   {"low_score", s.counts.low_score},
                   {"empty", s.counts.empty}};
    if (s.alignments != 0) source["alignments"] = hexadecimal(s.alignments);
    return source;
}

SourceRecord source_from(const JsonReader& in)
{
    SourceRecord source = {.name = name_in(in, "name"),
                           .path = fs::path(name_in(in, "path")).filename().string(),
                           .frames = in.integer("frames", 0, kMany),
                           .done = in.integer("done", 0, kMany),
                           .complete = in.get<bool>("complete"),
                           .counts = {.faces = in.integer("faces", 0, kMany),
                                      .ignored = in.integer("ignored", 0, kMany),
                                      .low_score = in.integer("low_score", 0, kMany),
                                      .empty = in.integer("empty", 0, kMany)}};
    // Facesets made before these were written have none of them.
    if (in.has("pictures"))
        for (const std::string& name : in.get<std::vector<std::string>>("pictures"))
            source.pictures.push_back(from_utf8(name));
    if (in.has("fingerprints")) source.fingerprints = in.get<std::vector<std::string>>("fingerprints");
    if (in.has("alignments")) source.alignments = digits_in(in, "alignments");
    in.check(is_file_name(source.name), "name", source.name, "a file name");
    in.check(is_file_name(source.path), "path", source.path, "a path");
    for (const std::string& name : source.pictures) in.check(is_file_name(name), "pictures", name, "file names");
    if (in.has("dropped"))
        for (const Json& face : in.list("dropped"))
            source.dropped.push_back(dropped_from(in.member(face, "dropped", source.dropped.size())));
    return source;
}

Json to_json(const FaceRecord& f)
{
    Json face = {{"file", bifrons::to_utf8(f.file)},
                 {"source", f.source},
                 {"frame", f.frame},
                 {"rect", to_json(f.rect)},
                 {"score", f.score},
                 {"landmarks_in_frame", to_json(f.in_frame)},
                 {"landmarks", to_json(f.in_face)},
                 {"matrix", f.matrix.m},
                 {"size", f.size},
                 {"sharpness", f.sharpness},
                 {"pose", {f.pose.pitch, f.pose.yaw, f.pose.roll}},
                 {"checksum", hexadecimal(f.checksum)}};
    if (!f.mask.empty()) face["mask"] = bifrons::to_utf8(f.mask);
    return face;
}

FaceRecord face_from(const JsonReader& in)
{
    FaceRecord f;
    f.file = name_in(in, "file");
    f.source = in.integer("source", 0, kMany);
    f.frame = in.integer("frame", 0, kMany);
    const std::vector<double> rect = in.numbers("rect", 4), matrix = in.numbers("matrix", 6),
                              pose = in.numbers("pose", 3);
    f.rect = {rect[0], rect[1], rect[2], rect[3]};
    std::copy(matrix.begin(), matrix.end(), f.matrix.m.begin());
    f.pose = {pose[0], pose[1], pose[2]};
    f.score = in.get<double>("score");
    f.size = in.get<double>("size");
    f.sharpness = in.get<double>("sharpness");
    f.in_frame = in.landmarks("landmarks_in_frame");
    f.in_face = in.landmarks("landmarks");
    f.checksum = digits_in(in, "checksum");
    if (in.has("mask")) f.mask = name_in(in, "mask");
    return f;
}

} // namespace bifrons::data
