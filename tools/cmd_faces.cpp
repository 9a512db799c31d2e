#include "data/faceset_trash.h"
#include "data/pack.h"
#include "engine/folder_lock.h"
#include "kernels/base/error.h"
#include "tools/commands.h"
#include "tools/contact_sheet.h"
#include "tools/face_values.h"
#include "tools/left_out.h"
#include "tools/open_faceset.h"
#include "tools/options.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iomanip>
#include <iostream>
#include <set>

namespace bifrons::tools {

namespace {

namespace fs = std::filesystem;
constexpr std::size_t kMostOnSheet = 2000;

struct Options {
    std::string faceset, sort, names, sheet;
    std::vector<std::string> above, below;
    std::optional<std::int64_t> first, last, best;
    bool reverse = false, list = false, drop = false, keep = false, restore = false, overwrite = false;
    IdentityOptions identity;

    bool selects() const { return !names.empty() || !above.empty() || !below.empty() || first || last || best; }
    bool changes() const { return drop || keep || restore; }
};

/// Faces in the order in which they are shown.
struct Selection {
    std::vector<std::size_t> faces;
    std::vector<const FaceKey*> keys; ///< that it was made by: the list shows them
    std::int64_t alike = 0;           ///< that --best left out
};

void check(const Options& o)
{
    BIFRONS_CHECK(usage, int(o.drop) + int(o.keep) + int(o.restore) <= 1,
                  "--drop, --keep and --restore: expected one of them");
    BIFRONS_CHECK(usage, (!o.drop && !o.keep) || o.selects(), o.drop ? "--drop" : "--keep",
                  " needs a selection: --names, --above, --below, --first, --last or --best");
    BIFRONS_CHECK(usage, !o.drop || !o.best, "--best with --drop would drop the best faces; --keep drops the others");
    BIFRONS_CHECK(usage, !o.changes() || !data::is_trash(o.faceset), o.faceset,
                  ": is a faceset's trash; `bifrons faces ", fs::path(o.faceset).parent_path().string(),
                  " --restore` puts its faces back");
}

std::string all_of(std::istream& in)
{
    return {std::istreambuf_iterator<char>(in), {}};
}

/// The names of a file, or of stdin for "-": a line each, up to a tab, so that what --list prints is one.
std::vector<std::string> read_names(const std::string& file)
{
    std::string text;
    if (file == "-") {
        text = all_of(std::cin);
    } else {
        const std::vector<std::uint8_t> bytes = data::read_file(file);
        text.assign(bytes.begin(), bytes.end());
    }
    std::vector<std::string> names;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        line.erase(std::min(line.find('\t'), line.size()));
        if (!line.empty() && line.back() == '\r') line.pop_back();
        if (!line.empty() && line.front() != '#') names.push_back(line);
    }
    return names;
}

/// Keeps the faces that the list names: images/a.png, a.png or a.
void keep_named(const data::Faceset& set, const std::string& file, std::vector<std::size_t>& faces, Console& console)
{
    std::map<std::string, std::set<std::size_t>> by_name;
    for (const std::size_t face : faces) {
        const fs::path path = set.faces[face].file;
        for (const fs::path& name : {path, path.filename(), path.stem()}) by_name[name.string()].insert(face);
    }
    std::set<std::size_t> named;
    std::vector<std::string> unknown;
    for (const std::string& name : read_names(file)) {
        const auto found = by_name.find(name);
        if (found == by_name.end())
            unknown.push_back(name);
        else
            named.insert(found->second.begin(), found->second.end());
    }
    BIFRONS_CHECK(usage, !named.empty(), file, ": names no face of ", set.folder.string(),
                  "; expected names as --list prints them, a line each");
    warn_of_each("no face of that name", unknown, console);
    std::erase_if(faces, [&](std::size_t face) { return !named.contains(face); });
}

/// Keeps the faces whose measure is above, or below, that of "MEASURE=VALUE".
void keep_by_rule(const std::string& option, const std::string& rule, FaceValues& values, Selection& selection)
{
    const std::size_t equals = rule.find('=');
    double limit = 0;
    std::istringstream number(equals == rule.npos ? "" : rule.substr(equals + 1));
    BIFRONS_CHECK(usage, number >> limit && number.eof(), option, ": is \"", rule,
                  "\"; expected MEASURE=NUMBER, such as sharpness=20");
    const FaceKey& key = face_key_of(rule.substr(0, equals));
    const std::vector<double>& measured = values.of(key);
    selection.keys.push_back(&key);
    std::erase_if(selection.faces, [&](std::size_t face) {
        return option == "--above" ? !(measured[face] > limit) : !(measured[face] < limit);
    });
}

Selection select(const Options& o, const data::Faceset& set, FaceValues& values, Console& console)
{
    Selection selection;
    for (std::size_t i = 0; i < set.faces.size(); ++i) selection.faces.push_back(i);
    std::vector<std::size_t>& faces = selection.faces;
    if (!o.sort.empty()) {
        const FaceKey& key = face_key_of(o.sort);
        faces = values.order(key);
        selection.keys.push_back(&key);
    }
    if (!o.names.empty()) keep_named(set, o.names, faces, console);
    for (const std::string& rule : o.above) keep_by_rule("--above", rule, values, selection);
    for (const std::string& rule : o.below) keep_by_rule("--below", rule, values, selection);
    if (o.best) {
        data::BestFaces best = data::best_faces(set, faces, values.looks().of, std::size_t(*o.best));
        selection.alike = best.alike;
        const std::set<std::size_t> chosen(best.faces.begin(), best.faces.end());
        if (o.sort.empty())
            faces = std::move(best.faces);
        else
            std::erase_if(faces, [&](std::size_t face) { return !chosen.contains(face); });
    }
    if (o.reverse) std::reverse(faces.begin(), faces.end());
    if (o.first && faces.size() > std::size_t(*o.first)) faces.resize(std::size_t(*o.first));
    if (o.last && faces.size() > std::size_t(*o.last)) faces.erase(faces.begin(), faces.end() - *o.last);
    return selection;
}

void draw_sheet(const Options& o, const data::Faceset& set, const Selection& selection, FaceValues& values,
                Console& console)
{
    const data::Existing existing = o.overwrite ? data::Existing::replace : data::Existing::keep;
    const FaceKey& key = selection.keys.empty() ? face_key_of("sharpness") : *selection.keys.front();
    BIFRONS_CHECK(usage, !selection.faces.empty(), o.sheet, ": no face is selected, so there is nothing to draw");
    const std::size_t n = selection.faces.size(), drawn = std::min(n, kMostOnSheet);
    std::vector<SheetFace> faces;
    for (std::size_t i = 0; i < drawn; ++i) {
        const std::size_t face = selection.faces[i * n / drawn];
        faces.push_back({face, str(key.measure, " ", short_number(values.of(key)[face]))});
    }
    std::vector<std::string> unreadable;
    data::save_image(o.sheet, contact_sheet(set, faces, unreadable), {.existing = existing});
    warn_of_each("not drawn", unreadable, console);
    console.say(str(o.sheet, ": ", drawn, " faces", drawn < n ? str(", evenly spaced, of ", n) : ""));
}

/// The measures of the list: some that every face has, and those that the selection was made by.
std::vector<const FaceKey*> columns_of(const Selection& selection)
{
    std::vector<const FaceKey*> columns;
    for (const char* name : {"frame", "blur", "yaw", "pitch", "size"}) columns.push_back(&face_key_of(name));
    for (const FaceKey* key : selection.keys)
        if (std::find(columns.begin(), columns.end(), key) == columns.end()) columns.push_back(key);
    return columns;
}

std::pair<std::string, Json> list_of(const data::Faceset& set, const Selection& selection, FaceValues& values)
{
    const std::vector<const FaceKey*> columns = columns_of(selection);
    std::string text = "# file";
    for (const FaceKey* key : columns) text += str("\t", key->measure);
    text += "\n";
    Json list = Json::array();
    for (const std::size_t face : selection.faces) {
        const data::FaceRecord& record = set.faces[face];
        Json row = {{"file", record.file}, {"source", set.sources[std::size_t(record.source)].name}};
        text += record.file;
        for (const FaceKey* key : columns) {
            const double value = values.of(*key)[face];
            text += "\t" + (std::isnan(value) ? std::string("-") : short_number(value));
            row[key->measure] = std::isnan(value) ? Json(nullptr) : Json(value);
        }
        text += "\n";
        list.push_back(std::move(row));
    }
    return {text, list};
}

/// How the measures of the selected faces are spread: what a good limit for --above or --below is.
std::string spread_of(const Selection& selection, FaceValues& values)
{
    constexpr std::array kShares = {0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0};
    std::string text = "             lowest       5%      25%   median      75%      95%  highest\n";
    for (const FaceKey* key : columns_of(selection)) {
        std::vector<double> sorted;
        for (const std::size_t face : selection.faces) sorted.push_back(values.of(*key)[face]);
        std::erase_if(sorted, [](double value) { return std::isnan(value); });
        if (sorted.empty() || key->measure == std::string("frame")) continue;
        std::sort(sorted.begin(), sorted.end());
        char cell[32];
        std::snprintf(cell, sizeof cell, "  %-10s", key->measure);
        text += cell;
        for (const double share : kShares) {
            std::snprintf(cell, sizeof cell, " %8s",
                          short_number(sorted[std::size_t(share * double(sorted.size() - 1))]).c_str());
            text += cell;
        }
        text += "\n";
    }
    return text;
}

/// All but these of n faces.
std::vector<std::size_t> others(std::vector<std::size_t> faces, std::size_t n)
{
    std::sort(faces.begin(), faces.end());
    std::vector<std::size_t> left;
    for (std::size_t i = 0; i < n; ++i)
        if (!std::binary_search(faces.begin(), faces.end(), i)) left.push_back(i);
    return left;
}

void faces(const Options& o, Console& console)
{
    check(o);
    BIFRONS_CHECK(usage, !o.changes() || !data::is_pack(o.faceset), o.faceset,
                  ": is a pack, whose faces stay as they are. `bifrons unpack ", o.faceset,
                  " -o FOLDER` makes a faceset that can be changed.");
    if (!o.sheet.empty())
        data::check_picture_destination(o.sheet, o.overwrite ? data::Existing::replace : data::Existing::keep);
    std::optional<FolderLock> lock;
    if (o.changes() && data::is_faceset(o.faceset)) lock.emplace(o.faceset);
    data::Faceset set = open_faceset(o.faceset, console), trash = data::load_trash(set);
    const std::size_t of = o.restore ? trash.faces.size() : set.faces.size();
    FaceValues values(o.restore ? trash : set, o.identity, console);
    const Selection selection = select(o, o.restore ? trash : set, values, console);
    if (!o.sheet.empty()) draw_sheet(o, o.restore ? trash : set, selection, values, console);
    auto [text, list] = list_of(o.restore ? trash : set, selection, values);
    const std::string spread = o.list || o.changes() || !o.sheet.empty() ? "" : spread_of(selection, values);
    warn_of_each("cannot be read", values.unreadable(), console);

    console.begin_work();
    const std::vector<std::size_t> leave = o.drop   ? selection.faces
                                           : o.keep ? others(selection.faces, of)
                                                    : std::vector<std::size_t>();
    BIFRONS_CHECK(usage, !o.keep || !selection.faces.empty(), o.faceset,
                  ": no face is selected, and --keep would drop all; nothing was changed");
    if (!leave.empty()) data::drop_faces(set, leave);
    if (o.restore && !selection.faces.empty()) data::restore_faces(set, trash, selection.faces);
    const std::size_t in_trash = data::load_trash(set).faces.size();

    std::string words = str(o.faceset, ": ", selection.faces.size(), " of ", of, " faces",
                            o.restore ? " of its trash" : "", o.selects() ? " selected" : "");
    if (o.best) words += str(", ", selection.alike, " left out as nearly the same as a sharper one");
    if (o.drop || o.keep) words += str("; ", leave.size(), " dropped, ", set.faces.size(), " left");
    if (o.restore) words += str("; restored, now ", set.faces.size());
    words += str(", ", in_trash, " in the trash\n");
    Json result = {{"faceset", o.faceset},
                   {"faces", set.faces.size()},
                   {"selected", selection.faces.size()},
                   {"dropped", leave.size()},
                   {"restored", o.restore ? selection.faces.size() : 0},
                   {"trash", in_trash},
                   {"alike", selection.alike},
                   {"unreadable", values.unreadable().size()}};
    if (o.list) result["list"] = std::move(list);
    if (!o.list) return console.result(words + spread, result);
    if (!console.json()) words.pop_back();
    if (o.changes() && !console.json()) console.say(words);
    console.result(text, result);
}

/// A line for each key.
std::string keys_note()
{
    std::ostringstream text;
    text << "Keys of --sort   measure      first\n";
    for (const FaceKey& key : face_keys())
        text << "  " << std::left << std::setw(15) << key.name << std::setw(13) << key.measure << key.first << "\n";
    return text.str();
}

} // namespace

Work declare_faces(CLI::App& app)
{
    const auto o = std::make_shared<Options>();
    required(text(app, "FACESET", o->faceset, "FOLDER",
                  "faceset, a folder or, to look at, a pack; FACESET/trash shows what was dropped"));
    std::vector<std::string> names;
    for (const FaceKey& key : face_keys()) names.emplace_back(key.name);
    choice(app, "--sort", o->sort, names, "order of the faces, see below");
    flag(app, "--reverse", o->reverse, "the other way round");
    texts(
        app, "--above", o->above, "MEASURE=VALUE",
        "select the faces whose measure, see below, is higher, as in yaw=40; may be given several times, and all must "
        "hold");
    texts(app, "--below", o->below, "MEASURE=VALUE", "select the faces whose measure is lower, as in sharpness=20");
    text(app, "--names", o->names, "FILE", "select the faces that this list names, as --list prints it; - is stdin");
    number<std::int64_t>(app, "--best", o->best, 1, 1'000'000,
                         "select at most that many: spread over yaw and pitch, the sharpest first, without those that "
                         "look nearly the same (as DeepFaceLab's sort \"final\")");
    number<std::int64_t>(app, "--first", o->first, 1, 1'000'000'000, "of the selected faces, only the first ones");
    number<std::int64_t>(app, "--last", o->last, 1, 1'000'000'000, "of the selected faces, only the last ones");
    flag(app, "--list", o->list, "list the selected faces: file, frame and measures, separated by tabs");
    text(app, "--sheet", o->sheet, "FILE",
         "draw the selected faces in their order, at most 2000, else evenly spaced ones: .png or .jpg");
    flag(app, "--overwrite", o->overwrite, "replace an existing sheet");
    flag(app, "--drop", o->drop, "move the selected faces to the faceset's trash");
    flag(app, "--keep", o->keep, "move all but the selected faces to the trash");
    flag(app, "--restore", o->restore, "put faces of the trash back: those selected, or all");
    text(app, "--identity", o->identity.file, "FILE",
         "dlib's face-recognition network (safetensors), for identity; default: from the models folder");
    device_option(app, o->identity.device);
    note(app, keys_note());
    return [o](Console& console) { faces(*o, console); };
}

} // namespace bifrons::tools
