// data/faceset.cpp - a folder of aligned faces.
#include "data/faceset.h"

#include "data/hull.h"
#include "data/threads.h"
#include "data/warp.h"
#include "kernels/base/error.h"

#include <nlohmann/json.hpp>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

using Json = nlohmann::json;
constexpr int kVersion = 1;
constexpr std::int64_t kMany = std::int64_t(1) << 40;

fs::path json_path(const fs::path& folder)
{
    return folder / "faceset.json";
}

/// One object of the file, with a name for messages.
class Reader {
  public:
    Reader(const Json& object, std::string name) : object_(object), name_(std::move(name))
    {
        BIFRONS_CHECK(data, object.is_object(), name_,
                      ": is not an object; the file was changed by hand or is damaged");
    }

    bool has(const char* field) const { return object_.contains(field); }

    /// The field as T. Throws Error(data) when it is missing or of another kind.
    template <class T>
    T get(const char* field) const
    {
        const auto found = object_.find(field);
        BIFRONS_CHECK(data, found != object_.end(), name_, ": has no '", field,
                      "'; the file was changed by hand or is damaged");
        try {
            return found->get<T>();
        } catch (const Json::exception&) {
            throw Error(ErrorKind::data,
                        str(name_, ": '", field, "' is ", found->dump().substr(0, 40), "; expected another type"));
        }
    }

    /// Element n of the field, which is a list.
    Reader member(const Json& element, const char* field, std::size_t n) const
    {
        return {element, str(name_, ": ", field, " ", n)};
    }

    /// n finite numbers.
    std::vector<double> numbers(const char* field, std::size_t n) const
    {
        const auto values = get<std::vector<double>>(field);
        BIFRONS_CHECK(data, values.size() == n, name_, ": '", field, "' has ", values.size(), " numbers; expected ", n);
        for (const double v : values) check(std::isfinite(v), field, v, "a finite number");
        return values;
    }

    Landmarks landmarks(const char* field) const
    {
        const std::vector<double> v = numbers(field, 136);
        Landmarks points;
        for (std::size_t i = 0; i < 68; ++i) points[i] = {v[2 * i], v[2 * i + 1]};
        return points;
    }

    /// A whole number of [low, high].
    std::int64_t integer(const char* field, std::int64_t low, std::int64_t high) const
    {
        const auto value = get<std::int64_t>(field);
        check(value >= low && value <= high, field, value, str(low, " to ", high));
        return value;
    }

    template <class Value>
    void check(bool ok, const char* field, const Value& value, const std::string& expected) const
    {
        BIFRONS_CHECK(data, ok, name_, ": '", field, "' is ", value, "; expected ", expected);
    }

  private:
    const Json& object_;
    std::string name_;
};

std::vector<double> flat(const Landmarks& points)
{
    std::vector<double> values;
    for (const Point& p : points) values.insert(values.end(), {p.x, p.y});
    return values;
}

std::string hexadecimal(std::uint64_t value)
{
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
    return text;
}

Json numbers_of(const Rect& rect)
{
    return {rect.left, rect.top, rect.right, rect.bottom};
}

Json to_json(const SourceRecord& s)
{
    Json dropped = Json::array();
    for (const DroppedFace& d : s.dropped)
        dropped.push_back({{"frame", d.frame}, {"reason", d.reason}, {"score", d.score}, {"rect", numbers_of(d.rect)}});
    return {{"name", s.name},
            {"pictures", s.pictures},
            {"dropped", dropped},
            {"path", s.path},
            {"frames", s.frames},
            {"done", s.done},
            {"complete", s.complete},
            {"faces", s.counts.faces},
            {"ignored", s.counts.ignored},
            {"low_score", s.counts.low_score},
            {"empty", s.counts.empty}};
}

DroppedFace dropped_from(const Reader& in)
{
    const std::vector<double> rect = in.numbers("rect", 4);
    return {.frame = in.integer("frame", 0, kMany),
            .reason = in.get<std::string>("reason"),
            .score = in.get<double>("score"),
            .rect = {rect[0], rect[1], rect[2], rect[3]}};
}

SourceRecord source_from(const Reader& in)
{
    SourceRecord source = {.name = in.get<std::string>("name"),
                           .path = in.get<std::string>("path"),
                           .frames = in.integer("frames", 0, kMany),
                           .done = in.integer("done", 0, kMany),
                           .complete = in.get<bool>("complete"),
                           .counts = {.faces = in.integer("faces", 0, kMany),
                                      .ignored = in.integer("ignored", 0, kMany),
                                      .low_score = in.integer("low_score", 0, kMany),
                                      .empty = in.integer("empty", 0, kMany)}};
    // Facesets made before these were written have neither.
    if (in.has("pictures")) source.pictures = in.get<std::vector<std::string>>("pictures");
    const auto count = std::int64_t(source.pictures.size());
    in.check(count == 0 || count == source.done, "pictures", count, str(source.done, " names, one a frame"));
    for (const std::string& name : source.pictures)
        in.check(!name.empty() && fs::path(name).filename() == name && name != "..", "pictures", name, "file names");
    if (in.has("dropped"))
        for (const Json& face : in.get<std::vector<Json>>("dropped"))
            source.dropped.push_back(dropped_from(in.member(face, "dropped", source.dropped.size())));
    return source;
}

Json to_json(const FaceRecord& f)
{
    return {{"file", f.file},
            {"source", f.source},
            {"frame", f.frame},
            {"rect", numbers_of(f.rect)},
            {"score", f.score},
            {"landmarks_in_frame", flat(f.in_frame)},
            {"landmarks", flat(f.in_face)},
            {"matrix", f.matrix.m},
            {"size", f.size},
            {"sharpness", f.sharpness},
            {"pose", {f.pose.pitch, f.pose.yaw, f.pose.roll}},
            {"checksum", hexadecimal(f.checksum)}};
}

FaceRecord face_from(const Reader& in, const Faceset& set)
{
    FaceRecord f;
    f.file = in.get<std::string>("file");
    f.source = in.integer("source", 0, std::int64_t(set.sources.size()) - 1);
    const auto pictures = std::int64_t(set.sources[std::size_t(f.source)].pictures.size());
    f.frame = in.integer("frame", 0, pictures > 0 ? pictures - 1 : kMany);
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
    const auto digits = in.get<std::string>("checksum");
    in.check(digits.size() == 16 && digits.find_first_not_of("0123456789abcdef") == std::string::npos, "checksum",
             digits, "16 hexadecimal digits");
    f.checksum = std::stoull(digits, nullptr, 16);

    const Point mapped = f.matrix(f.in_frame[30]);
    const bool agree = std::hypot(mapped.x - f.in_face[30].x, mapped.y - f.in_face[30].y) < 0.1;
    in.check(agree, "matrix", Json(matrix).dump(), "a map that takes landmarks_in_frame to landmarks");
    const fs::path file = f.file;
    in.check(!file.empty() && file.is_relative() && file.lexically_normal().string().rfind("..", 0) != 0, "file",
             f.file, "a name inside the faceset");
    in.check(fs::is_regular_file(set.folder / file), "file", f.file, "an existing picture");
    return f;
}

Json parse(const fs::path& path)
{
    const std::vector<std::uint8_t> bytes = read_file(path);
    try {
        return Json::parse(bytes.begin(), bytes.end());
    } catch (const Json::parse_error& error) {
        throw Error(ErrorKind::data, str(path.string(), ": is not valid JSON at byte ", error.byte, " of ",
                                         bytes.size(), "; the file is truncated or damaged"));
    }
}

} // namespace

bool is_faceset(const fs::path& folder)
{
    std::error_code ignored;
    return fs::exists(json_path(folder), ignored);
}

Faceset load_faceset(const fs::path& folder)
{
    const fs::path path = json_path(folder);
    BIFRONS_CHECK(data, is_faceset(folder), folder.string(),
                  ": is not a faceset; expected a folder with faceset.json. `bifrons extract` makes one.");
    const Json file = parse(path);
    const Reader in(file, path.string());
    BIFRONS_CHECK(data, in.get<std::string>("format") == "bifrons-faceset" && in.get<int>("version") == kVersion,
                  path.string(), ": is not a faceset of version ", kVersion);
    Faceset set = {.folder = folder,
                   .type = face_type_of(in.get<std::string>("face_type")),
                   .side = in.integer("side", 16, 4096),
                   .detector = in.get<std::string>("detector")};
    for (const Json& source : in.get<std::vector<Json>>("sources"))
        set.sources.push_back(source_from(Reader(source, str(path.string(), ": source ", set.sources.size()))));
    for (const Json& face : in.get<std::vector<Json>>("faces"))
        set.faces.push_back(face_from(Reader(face, str(path.string(), ": face ", set.faces.size())), set));
    return set;
}

void save_faceset(const Faceset& set)
{
    Json file = {
        {"format", "bifrons-faceset"}, {"version", kVersion},      {"face_type", name_of(set.type)}, {"side", set.side},
        {"detector", set.detector},    {"sources", Json::array()}, {"faces", Json::array()}};
    for (const SourceRecord& source : set.sources) file["sources"].push_back(to_json(source));
    for (const FaceRecord& face : set.faces) file["faces"].push_back(to_json(face));
    // Names come from file systems, which know bytes and not UTF-8.
    const std::string text = file.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    flush_folder(set.folder);
    write_file(json_path(set.folder), text, Existing::replace, Flush::yes);
}

std::uint64_t checksum_of(const std::vector<std::uint8_t>& bytes)
{
    return XXH64(bytes.data(), bytes.size(), 0);
}

Image load_face(const Faceset& set, std::size_t index)
{
    const FaceRecord& face = set.faces.at(index);
    const std::string name = (set.folder / face.file).string();
    const std::vector<std::uint8_t> bytes = read_file(name);
    BIFRONS_CHECK(data, checksum_of(bytes) == face.checksum, name,
                  ": checksum differs; the picture is damaged or was changed since extraction. Extract again.");
    Image image = decode_image(bytes, name);
    BIFRONS_CHECK(data, image.H == set.side && image.W == set.side, name, ": is ", image.W, "x", image.H, "; expected ",
                  set.side, "x", set.side);
    return image;
}

YawGroups group_by_yaw(const Faceset& set, const std::vector<std::size_t>& indices)
{
    constexpr std::size_t kBins = 128;
    constexpr double kLimit = 1.2; // rad
    std::array<std::vector<std::int64_t>, kBins> bins;
    for (std::size_t i = 0; i < indices.size(); ++i) {
        const double place = (set.faces.at(indices[i]).pose.yaw + kLimit) / (2 * kLimit) * double(kBins - 1);
        bins[std::size_t(std::clamp(place, 0.0, double(kBins - 1)))].push_back(std::int64_t(i));
    }
    YawGroups groups;
    for (const auto& bin : bins) {
        if (bin.empty()) continue;
        groups.begins.push_back(std::int64_t(groups.faces.size()));
        groups.faces.insert(groups.faces.end(), bin.begin(), bin.end());
    }
    groups.begins.push_back(std::int64_t(groups.faces.size()));
    return groups;
}

FaceArrays load_faces(const Faceset& set, const std::vector<std::size_t>& indices, FaceType type, std::int64_t side,
                      const FaceWants& wants)
{
    BIFRONS_CHECK(usage, type <= set.type, set.folder.string(), ": holds ", name_of(set.type),
                  " pictures, which do not contain ", name_of(type),
                  ". Train with a smaller face type, or extract again with --face-type ", name_of(type), ".");
    FaceArrays arrays = {.count = std::int64_t(indices.size()), .side = side + 2 * wants.margin};
    const std::size_t pixels = std::size_t(arrays.side * arrays.side);
    arrays.images.resize(indices.size() * pixels * 3);
    arrays.masks.resize(indices.size() * pixels);
    if (wants.eyes_mouth) arrays.eyes_mouth.resize(indices.size() * pixels);
    if (wants.yaw) arrays.yaw = group_by_yaw(set, indices);
    for_each_on_threads(arrays.count, machine_threads(), [&](std::int64_t i, int) {
        const std::size_t n = std::size_t(i);
        const FaceRecord& face = set.faces.at(indices[n]);
        Affine wanted = face_from_frame(face.in_frame, type, side);
        wanted.m[2] += double(wants.margin);
        wanted.m[5] += double(wants.margin);
        const Image image =
            warp(load_face(set, indices[n]), wanted.after(face.matrix.inverse()), arrays.side, arrays.side);
        const Landmarks points = wanted(face.in_frame);
        const auto store = [&](const Image& picture, std::vector<std::uint8_t>& all) {
            std::copy(picture.pixels.begin(), picture.pixels.end(),
                      all.begin() + std::ptrdiff_t(n * picture.pixels.size()));
        };
        store(image, arrays.images);
        store(hull_mask(points, arrays.side, arrays.side), arrays.masks);
        if (wants.eyes_mouth) store(eyes_mouth_mask(points, side, arrays.side, arrays.side), arrays.eyes_mouth);
    });
    return arrays;
}

Split split_faces(const Faceset& set, double share)
{
    Split split;
    for (std::size_t source = 0; source < set.sources.size(); ++source) {
        std::vector<std::size_t> own;
        for (std::size_t i = 0; i < set.faces.size(); ++i)
            if (set.faces[i].source == std::int64_t(source)) own.push_back(i);
        std::stable_sort(own.begin(), own.end(),
                         [&](std::size_t a, std::size_t b) { return set.faces[a].frame < set.faces[b].frame; });
        const double n = double(own.size());
        const auto held = std::size_t(share > 0 && n * share >= 2 ? n * share : 0);
        const std::size_t begin = (own.size() - held) / 2;
        for (std::size_t i = 0; i < own.size(); ++i)
            (i >= begin && i < begin + held ? split.validation : split.train).push_back(own[i]);
    }
    return split;
}

} // namespace bifrons::data
