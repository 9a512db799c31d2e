#include "data/oddness.h"
#include "engine/checkpoint.h"
#include "engine/json.h"
#include "tools/commands.h"
#include "tools/contact_sheet.h"
#include "tools/coverage_report.h"
#include "tools/open_faceset.h"
#include "tools/options.h"

#include <cmath>
#include <filesystem>

namespace bifrons::tools {

namespace {

namespace fs = std::filesystem;

struct Options {
    std::string path, dst, sheet;
    bool tensors = false, overwrite = false, verify = false;
};

std::string shape_text(const std::vector<std::int64_t>& shape)
{
    std::string text = "[";
    for (const std::int64_t dim : shape) text += str(text.size() > 1 ? "," : "", dim);
    return text + "]";
}

/// Metadata that is itself JSON (settings) as JSON, the rest as text.
Json metadata_json(const Metadata& metadata)
{
    Json json = Json::object();
    for (const auto& [key, value] : metadata) {
        const Json parsed = json_or_discarded(value);
        json[key] = parsed.is_object() || parsed.is_array() ? parsed : Json(value);
    }
    return json;
}

/// "  key = value" a line; the members of an object below its key.
std::string metadata_text(const Json& metadata)
{
    const auto plain = [](const Json& v) { return v.is_string() ? v.get<std::string>() : v.dump(); };
    std::string text;
    for (const auto& [key, value] : metadata.items()) {
        if (!value.is_object()) {
            text += str("  ", key, " = ", plain(value), "\n");
            continue;
        }
        text += str("  ", key, ":\n");
        for (const auto& [name, member] : value.items()) text += str("    ", name, " = ", plain(member), "\n");
    }
    return text;
}

std::string tensors_text(const SafetensorsFile& file, bool each)
{
    double bytes = 0;
    std::int64_t values = 0;
    std::string lines;
    for (const NamedTensor& t : file.tensors()) {
        bytes += double(t.bytes());
        values += t.size();
        if (each) lines += str("  ", t.name, "  ", kernels::dtype_name(t.dtype), " ", shape_text(t.shape), "\n");
    }
    return str(file.tensors().size(), " tensors, ", values, " values, ", human_bytes(bytes), "\n", lines);
}

Json tensors_json(const SafetensorsFile& file)
{
    Json list = Json::array();
    for (const NamedTensor& t : file.tensors())
        list.push_back({{"name", t.name}, {"dtype", kernels::dtype_name(t.dtype)}, {"shape", t.shape}});
    return list;
}

void show_file(const Options& o, const SafetensorsFile& file, Console& console)
{
    const Json metadata = metadata_json(file.metadata());
    const std::string text = str(file.path(), ": ", file.checked() ? "checksum OK" : "no checksum", "\n",
                                 metadata_text(metadata), tensors_text(file, o.tensors));
    console.result(
        text,
        {{"path", file.path()}, {"checked", file.checked()}, {"metadata", metadata}, {"tensors", tensors_json(file)}});
}

/// Every checkpoint of a model folder and whether it is intact, then the contents of the newest intact one.
void show_model(const Options& o, Console& console)
{
    for (const std::string& path : list_checkpoints(o.path)) {
        try {
            console.say(str(path, ": step ", load_checkpoint(path).step, ", intact"));
        } catch (const Error& e) {
            console.warn(e.what());
        }
    }
    const auto newest = load_latest_checkpoint(o.path, [](const std::string&) {}); // warned above
    BIFRONS_CHECK(data, newest, o.path,
                  ": holds no checkpoint; expected a model folder, a faceset, a checkpoint or a safetensors file");
    show_file(o, newest->file, console);
}

/// The odd faces: some of them as text, all as an object.
std::pair<std::string, Json> odd_faces(const data::Faceset& set, const std::vector<data::Oddness>& by_oddness)
{
    constexpr std::size_t kNamed = 10;
    constexpr double kDegree = 3.14159265358979323846 / 180;
    std::string text;
    Json list = Json::array();
    for (const data::Oddness& odd : by_oddness) {
        if (odd.value < data::kOdd) break;
        const data::FaceRecord& face = set.faces[odd.face];
        const auto rounded = [](double value) { return std::lround(value); };
        if (list.size() < kNamed)
            text += str("  odd: ", face.file, ": ", odd.reason, " (score ", face.score, ", yaw ",
                        rounded(face.pose.yaw / kDegree), ", pitch ", rounded(face.pose.pitch / kDegree),
                        ", sharpness ", rounded(face.sharpness), ", ", rounded(face.size), " px)\n");
        list.push_back({{"file", face.file},
                        {"source", set.sources[std::size_t(face.source)].name},
                        {"frame", face.frame},
                        {"reason", odd.reason},
                        {"oddness", odd.value},
                        {"score", face.score},
                        {"yaw", face.pose.yaw / kDegree},
                        {"pitch", face.pose.pitch / kDegree},
                        {"sharpness", face.sharpness},
                        {"size", face.size}});
    }
    if (list.size() > kNamed) text += str("  and ", list.size() - kNamed, " more odd faces: --json lists them\n");
    return {text, list};
}

Json dropped_faces(const data::SourceRecord& source)
{
    Json list = Json::array();
    for (const data::DroppedFace& face : source.dropped)
        list.push_back({{"frame", face.frame},
                        {"reason", face.reason},
                        {"score", face.score},
                        {"rect", {face.rect.left, face.rect.top, face.rect.right, face.rect.bottom}}});
    return list;
}

/// The contents of a faceset, as text and as an object.
std::pair<std::string, Json> contents(const data::Faceset& set)
{
    Json sources = Json::array();
    std::string text = str(set.folder.string(), ": ", set.faces.size(), " faces, ", name_of(set.type), ", ", set.side,
                           " px, found by ", set.detector, ", landmarks by ", set.landmarks, "\n");
    for (const data::SourceRecord& s : set.sources) {
        text += str("  ", s.path, ": ", s.counts.faces, " faces in ", s.done, " of ", s.frames, " frames, ",
                    s.counts.empty, " without a face; dropped for a low score ", s.counts.low_score,
                    ", for implausible landmarks ", data::implausible_faces(s), ", other faces ignored ",
                    s.counts.ignored, s.dropped.empty() ? "" : " (--json lists them)",
                    s.complete ? "" : "; unfinished: run extract again to continue", "\n");
        sources.push_back({{"path", s.path},
                           {"faces", s.counts.faces},
                           {"frames", s.frames},
                           {"done", s.done},
                           {"empty", s.counts.empty},
                           {"implausible", data::implausible_faces(s)},
                           {"dropped", dropped_faces(s)},
                           {"complete", s.complete}});
    }
    const auto [odd_text, odd_list] = odd_faces(set, data::by_oddness(set));
    text += odd_text;
    if (!set.faces.empty()) text += str("  in the footage (and the resolution that fits): ", sizes_text(set), "\n");
    return {text,
            {{"path", set.folder.string()},
             {"faces", set.faces.size()},
             {"missing", set.missing},
             {"face_type", name_of(set.type)},
             {"side", set.side},
             {"detector", set.detector},
             {"landmarks", set.landmarks},
             {"sources", sources},
             {"odd", odd_list}}};
}

/// One faceset; or source and destination, what they show side by side.
void show_facesets(const std::vector<std::string>& folders, bool verify, Console& console)
{
    std::string text;
    Json list = Json::array();
    std::vector<NamedCoverage> sides;
    for (const std::string& folder : folders) {
        const data::Faceset set = open_faceset(folder, console);
        if (verify) verify_pictures(set);
        auto [words, values] = contents(set);
        text += words;
        sides.push_back({folders.size() == 1 ? "faces" : sides.empty() ? "source" : "destination", coverage_of(set)});
        values["coverage"] = coverage_json(sides.back().coverage);
        list.push_back(values);
    }
    const data::Coverage &src = sides.front().coverage, &dst = sides.back().coverage;
    const bool has_faces = !src.values[data::kYaw].empty() && !dst.values[data::kYaw].empty();
    if (has_faces) text += str("\n", coverage_text(sides));
    console.result(text, folders.size() == 1 ? list.front() : Json{{"src", list.front()}, {"dst", list.back()}});
    for (const NamedCoverage& side : sides)
        for (const std::string& picture : side.coverage.unreadable) console.warn(picture);
    if (has_faces)
        for (const std::string& warning : coverage_warnings(src, dst)) console.warn(warning);
}

/// The faces of a faceset as one picture, the oddest first.
void draw_sheet(const Options& o, Console& console)
{
    const data::Existing existing = o.overwrite ? data::Existing::replace : data::Existing::keep;
    data::check_picture_destination(o.sheet, existing);
    const data::Faceset set = open_faceset(o.path, console);
    BIFRONS_CHECK(data, !set.faces.empty(), o.path, ": holds no faces to draw");
    constexpr std::size_t kMost = 120;
    std::vector<SheetFace> faces;
    for (const data::Oddness& odd : data::by_oddness(set)) {
        if (faces.size() == kMost) break;
        const double sharpness = set.faces[odd.face].sharpness;
        faces.push_back({odd.face, str("sharp ", short_number(sharpness), "  odd ", short_number(odd.value))});
    }
    std::vector<std::string> unreadable;
    data::save_image(o.sheet, contact_sheet(set, faces, unreadable), {.existing = existing});
    for (const std::string& picture : unreadable) console.warn(picture);
    console.say(str(o.sheet, ": the ", faces.size(), " oddest faces"));
}

void inspect(const Options& o, Console& console)
{
    BIFRONS_CHECK(data, fs::exists(o.path), o.path, ": does not exist");
    if (!o.sheet.empty()) draw_sheet(o, console);
    if (!o.dst.empty()) return show_facesets({o.path, o.dst}, o.verify, console);
    if (holds_faceset(o.path)) return show_facesets({o.path}, o.verify, console);
    if (fs::is_directory(o.path)) return show_model(o, console);
    show_file(o, SafetensorsFile(o.path), console);
}

} // namespace

Work declare_inspect(CLI::App& app)
{
    const auto options = std::make_shared<Options>();
    required(text(app, "PATH", options->path, "PATH", "model folder, faceset, checkpoint or other safetensors file"));
    text(app, "DST", options->dst, "FACESET",
         "destination faceset, where PATH is the source's: shows what faces both have, side by side");
    text(app, "--sheet", options->sheet, "FILE",
         "draw a faceset's faces, at most 120, the oddest first, with score, yaw and sharpness: .png or .jpg");
    flag(app, "--overwrite", options->overwrite, "replace an existing sheet");
    flag(app, "--verify", options->verify, "refuse a faceset with pictures that were changed since extraction");
    flag(app, "--tensors", options->tensors, "list every tensor");
    return [options](Console& console) { inspect(*options, console); };
}

} // namespace bifrons::tools
