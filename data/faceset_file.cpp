// data/faceset_file.cpp - faceset.json and faceset.journal, read and written.
#include "data/faceset_json.h"
#include "data/faceset_trash.h"
#include "kernels/base/error.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

using Json = nlohmann::json;
constexpr int kVersion = 1;
constexpr double kFarthest = 1e6; ///< px: no frame is so large, and no face lies so far outside of one
constexpr double kReach = 100;    ///< sides of its picture: a face lies no farther away from there
constexpr double kWidest = 3;     ///< times as wide as the brows a picture is, for the widest type of face
constexpr double kMagnified = 8;  ///< times: a face differs no more from what its picture was made for

fs::path json_path(const fs::path& folder)
{
    return folder / "faceset.json";
}

fs::path journal_path(const fs::path& folder)
{
    return folder / "faceset.journal";
}

std::string face_name(const std::string& path, std::size_t index)
{
    return str(path, ": face ", index);
}

/// The face's square in its frame: its corners are finite, and neither farther away than any frame is wide nor all in
/// one pixel.
bool is_plausible(const Affine& matrix, std::int64_t side)
{
    const std::array<double, 6>& m = matrix.m;
    const double scale = matrix.scale(), end = double(side), tolerance = 0.01 * scale;
    const bool keeps_shape = std::abs(m[0] - m[4]) <= tolerance && std::abs(m[1] + m[3]) <= tolerance;
    const Affine back = matrix.inverse();
    const auto is_near = [&](Point corner) {
        const Point p = back(corner);
        return std::abs(p.x) <= kFarthest && std::abs(p.y) <= kFarthest;
    };
    return keeps_shape && scale <= end && is_near({0, 0}) && is_near({end, 0}) && is_near({0, end}) &&
           is_near({end, end});
}

bool agree(const Landmarks& a, const Landmarks& b)
{
    return std::equal(a.begin(), a.end(), b.begin(),
                      [](Point p, Point q) { return std::hypot(p.x - q.x, p.y - q.y) < 0.1; });
}

/// From the leftmost to the rightmost of the points that say where the face is.
double width_of(const Landmarks& points)
{
    const auto [left, right] =
        std::minmax_element(points.begin() + 17, points.begin() + 49, [](Point a, Point b) { return a.x < b.x; });
    return right->x - left->x;
}

/// None of the file's components is a link or leads upwards, so that it lies in the folder.
bool lies_inside(const fs::path& folder, const fs::path& file)
{
    fs::path place = folder;
    for (const fs::path& part : file) {
        if (!is_file_name(part.string())) return false;
        std::error_code ignored;
        if (fs::is_symlink(place /= part, ignored)) return false;
    }
    return !file.empty();
}

void check_source(const SourceRecord& source, const std::string& name)
{
    const std::size_t pictures = source.pictures.size(), prints = source.fingerprints.size();
    BIFRONS_CHECK(data, pictures == 0 || std::int64_t(pictures) == source.done, name, ": 'pictures' is ", pictures,
                  " names; expected ", source.done, ", one a frame");
    BIFRONS_CHECK(data, prints == 0 || prints == std::max<std::size_t>(1, pictures), name, ": 'fingerprints' is ",
                  prints, " texts; expected ", std::max<std::size_t>(1, pictures));
}

/// The members of the file but the faces, which go into the set one by one as they are read: a fault is told with its
/// face, and the whole file's values, ten times as large, are never in memory.
Json read_members(const fs::path& path, std::string_view text, Faceset& set,
                  const std::function<void(std::size_t read)>& tick)
{
    std::string member, name = path.string();
    std::size_t read = 0;
    const auto take = [&](int depth, Json::parse_event_t event, Json& value) {
        if (event == Json::parse_event_t::key && depth == 1) member = value.get<std::string>();
        const bool is_face = member == "faces" && depth == 2 && event == Json::parse_event_t::object_end;
        if (is_face) set.faces.push_back(face_from(JsonReader(value, name)));
        if (is_face) tick(read);
        name = member == "faces" && depth > 0 ? face_name(path.string(), set.faces.size()) : path.string();
        return !is_face;
    };
    return parse_json(text, name, take, &read);
}

/// What a source has more: see FacesetJournal.
void take_up(Faceset& set, const JsonReader& entry, const std::string& name)
{
    const std::int64_t index = entry.integer("source", 0, std::int64_t(set.sources.size()));
    const std::int64_t from = entry.integer("from", 0, std::numeric_limits<std::int64_t>::max());
    if (index == std::int64_t(set.sources.size())) set.sources.emplace_back();
    SourceRecord& source = set.sources[std::size_t(index)];
    SourceRecord more = source_from(entry.object("record"));
    if (from != source.done) { // written before a faceset.json that has it
        entry.check(more.done <= source.done, "from", from, str(source.done));
        return;
    }
    const auto add_to = [](auto& earlier, auto& added) {
        added.insert(added.begin(), std::make_move_iterator(earlier.begin()), std::make_move_iterator(earlier.end()));
    };
    add_to(source.pictures, more.pictures);
    add_to(source.fingerprints, more.fingerprints);
    add_to(source.dropped, more.dropped);
    source = std::move(more);
    for (const Json& face : entry.list("faces"))
        set.faces.push_back(face_from(JsonReader(face, face_name(name, set.faces.size()))));
}

/// Whole lines: the last one may have been cut off together with the program.
void read_journal(const fs::path& path, std::string_view text, Faceset& set,
                  const std::function<void(std::size_t read)>& tick)
{
    std::size_t begin = 0;
    for (int line = 1; text.find('\n', begin) != std::string_view::npos; ++line) {
        const std::size_t end = text.find('\n', begin);
        const std::string name = str(path.string(), ": line ", line);
        const Json entry = parse_json(text.substr(begin, end - begin), name);
        take_up(set, JsonReader(entry, name), name);
        begin = end + 1;
        tick(begin);
    }
}

/// Faces whose picture somebody took away, or which is on its way to or from the trash.
void take_out_missing(Faceset& set)
{
    std::erase_if(set.faces, [&](const FaceRecord& face) {
        std::error_code ignored;
        const bool is_missing = !fs::is_regular_file(set.folder / face.file, ignored);
        if (is_missing && !fs::exists(trash_of(set.folder) / face.file, ignored)) set.missing.push_back(face.file);
        return is_missing;
    });
}

/// In a line. Names come from file systems, which know bytes and not UTF-8.
std::string text_of(const Json& value)
{
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string_view view_of(const std::vector<std::uint8_t>& bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The records, each on a line of its own.
template <class Record>
std::string lines_of(const std::vector<Record>& records)
{
    std::string text;
    for (const Record& record : records) text += (text.empty() ? "\n" : ",\n") + text_of(to_json(record));
    return text + "\n";
}

} // namespace

void check_face(const Faceset& set, const FaceRecord& face, const std::string& name)
{
    const auto check = [&](bool ok, const char* field, const Json& value, const std::string& expected) {
        BIFRONS_CHECK(data, ok, name, ": '", field, "' is ", shown(value), "; expected ", expected);
    };
    const auto sources = std::int64_t(set.sources.size());
    check(face.source < sources, "source", face.source, str("0 to ", sources - 1));
    const auto pictures = std::int64_t(set.sources[std::size_t(face.source)].pictures.size());
    check(pictures == 0 || face.frame < pictures, "frame", face.frame, str("0 to ", pictures - 1));

    const double side = double(set.side), reach = kReach * side;
    check(is_plausible(face.matrix, set.side), "matrix", face.matrix.m, "a turn, scale and shift that fit a picture");
    check(agree(face.matrix(face.in_frame), face.in_face), "matrix", face.matrix.m,
          "a map that takes landmarks_in_frame to landmarks");
    const bool near = std::all_of(face.in_face.begin(), face.in_face.end(),
                                  [&](Point p) { return std::abs(p.x) <= reach && std::abs(p.y) <= reach; });
    check(near, "landmarks", to_json(face.in_face), str("at most ", reach, " px"));
    check(width_of(face.in_face) * kMagnified > side / kWidest, "landmarks", to_json(face.in_face), "points apart");
    const double ratio = face_from_frame(face.in_frame, set.type, set.side).scale() / face.matrix.scale();
    check(ratio > 1 / kMagnified && ratio < kMagnified, "landmarks", to_json(face.in_face),
          "points as large as a face");
    const bool is_near = std::max({std::abs(face.rect.left), std::abs(face.rect.top), std::abs(face.rect.right),
                                   std::abs(face.rect.bottom)}) <= kFarthest;
    check(is_near, "rect", to_json(face.rect), str("at most ", kFarthest, " px"));

    check(lies_inside(set.folder, face.file), "file", face.file, "a name inside the faceset, without links");
    check(face.mask.empty() || lies_inside(set.folder, face.mask), "mask", face.mask,
          "a name inside the faceset, without links");
}

bool is_faceset(const fs::path& folder)
{
    std::error_code ignored;
    return fs::exists(json_path(folder), ignored);
}

Faceset load_faceset(const fs::path& folder, const ReadTick& tick)
{
    BIFRONS_CHECK(
        data, is_faceset(folder), folder.string(),
        ": is not a faceset; expected a folder with faceset.json, or a pack. `bifrons extract` makes a faceset.");
    std::error_code ignored;
    const auto manifest = read_file(json_path(folder));
    const bool has_journal = fs::exists(journal_path(folder), ignored);
    const auto journal = has_journal ? read_file(journal_path(folder)) : std::vector<std::uint8_t>();
    Faceset set = parse_faceset(folder, view_of(manifest), view_of(journal), tick);
    take_out_missing(set);
    return set;
}

Faceset parse_faceset(const fs::path& folder, std::string_view manifest, std::string_view journal, const ReadTick& tick)
{
    const fs::path path = json_path(folder);
    Faceset set = {.folder = folder};
    const auto told = [&](std::size_t before) {
        return [&, before](std::size_t read) {
            if (tick) tick(std::int64_t(before + read), std::int64_t(manifest.size() + journal.size()));
        };
    };
    const Json file = read_members(path, manifest, set, told(0));
    const JsonReader in(file, path.string());
    BIFRONS_CHECK(data,
                  in.get<std::string>("format") == "bifrons-faceset" && in.integer("version", 0, 1 << 20) == kVersion,
                  path.string(), ": is not a faceset of version ", kVersion);
    const auto type = in.get<std::string>("face_type");
    in.check(is_face_type(type), "face_type", type, "half, midfull, full, whole_face or head");
    set.type = face_type_of(type);
    set.side = in.integer("side", 16, 4096);
    set.detector = in.get<std::string>("detector");
    if (in.has("landmarks")) set.landmarks = in.get<std::string>("landmarks");
    for (const Json& source : in.list("sources"))
        set.sources.push_back(source_from(in.member(source, "source", set.sources.size())));
    if (const Json& rest = in.list("faces"); !rest.empty())
        JsonReader(rest[0], face_name(path.string(), 0)); // is no object
    read_journal(journal_path(folder), journal, set, told(manifest.size()));
    for (std::size_t i = 0; i < set.sources.size(); ++i)
        check_source(set.sources[i], str(path.string(), ": source ", i));
    for (std::size_t i = 0; i < set.faces.size(); ++i) check_face(set, set.faces[i], face_name(path.string(), i));
    return set;
}

std::string manifest_of(const Faceset& set)
{
    std::string text = text_of({{"format", "bifrons-faceset"},
                                {"version", kVersion},
                                {"face_type", name_of(set.type)},
                                {"side", set.side},
                                {"detector", set.detector},
                                {"landmarks", set.landmarks}});
    text.pop_back(); // of the object
    return text + ",\n\"sources\":[" + lines_of(set.sources) + "],\n\"faces\":[" + lines_of(set.faces) + "]}\n";
}

void save_faceset(const Faceset& set)
{
    flush_folder(set.folder);
    write_file(json_path(set.folder), manifest_of(set), Existing::replace, Flush::yes);
    std::error_code ignored;
    fs::remove(journal_path(set.folder), ignored);
}

FacesetJournal::FacesetJournal(const Faceset& set, std::size_t source) : source_(source), faces_(set.faces.size())
{
    const SourceRecord& record = set.sources.at(source);
    if (record.done == 0) return; // may be in no file yet
    done_ = record.done;
    pictures_ = record.pictures.size();
    fingerprints_ = record.fingerprints.size();
    dropped_ = record.dropped.size();
}

void FacesetJournal::append(const Faceset& set)
{
    SourceRecord more = set.sources.at(source_);
    const auto keep_from = [](auto& list, std::size_t& first) {
        const std::size_t size = list.size();
        list.erase(list.begin(), list.begin() + std::ptrdiff_t(first));
        first = size;
    };
    keep_from(more.pictures, pictures_);
    keep_from(more.fingerprints, fingerprints_);
    keep_from(more.dropped, dropped_);
    Json faces = Json::array();
    for (; faces_ < set.faces.size(); ++faces_) faces.push_back(to_json(set.faces[faces_]));
    const Json entry = {{"source", source_}, {"from", done_}, {"record", to_json(more)}, {"faces", std::move(faces)}};
    done_ = more.done;
    flush_folder(set.folder); // the pictures first
    append_to_file(journal_path(set.folder), text_of(entry) + '\n');
    flush_folder(set.folder);
}

} // namespace bifrons::data
