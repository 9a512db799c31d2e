#include "data/import/import.h"
#include "tools/commands.h"
#include "tools/import_model.h"
#include "tools/interrupt.h"
#include "tools/left_out.h"
#include "tools/options.h"
#include "tools/progress.h"
#if BIFRONS_HAS_MEDIA
#include "data/extract/extract.h"
#endif

#include <optional>
#include <set>

namespace bifrons::tools {

namespace {

struct Options {
    std::string from, out, masks, name;
    bool overwrite = false;
};

void import_faceset(const Options& o, Console& console)
{
    console.begin_work();
    std::optional<Progress> progress;
    data::ImportOptions options{.overwrite = o.overwrite, .masks = o.masks, .work = {.cancel = &interrupt_flag()}};
    options.work.progress = [&](std::int64_t done, std::int64_t of) {
        if (!progress) progress.emplace(console, "import", "faces", of);
        progress->update(done);
    };
    const data::ImportReport report = data::import_faces(o.from, o.out, options);
    progress.reset();
    const data::MaskReport& masks = report.from_folder;
    warn_of_each("left out", report.left_out, console);
    warn_of_each("mask not used", masks.damaged, console);
    warn_of_each("no mask of that name", masks.missing, console);
    if (!report.complete) throw Interrupted("interrupted; no faceset was made. Run the same command again.");
    const std::string of_folder = o.masks.empty() ? ""
                                                  : str("\n  masks of ", o.masks, ": ", masks.taken, " taken, ",
                                                        masks.resized, " of them resized; ", masks.missing.size(),
                                                        " faces without one, ", masks.damaged.size(), " not used");
    console.result(str(o.out, ": ", report.faces, " ", name_of(report.type), " faces of ", report.side, " px, ",
                       report.masks, " with a mask\n  ", report.resized, " resized, ", report.left_out.size(),
                       " left out, ", report.other_files, " other files", of_folder),
                   {{"faceset", o.out},
                    {"faces", report.faces},
                    {"face_type", name_of(report.type)},
                    {"side", report.side},
                    {"masks", report.masks},
                    {"masks_taken", masks.taken},
                    {"masks_resized", masks.resized},
                    {"masks_missing", masks.missing.size()},
                    {"masks_damaged", masks.damaged.size()},
                    {"resized", report.resized},
                    {"left_out", report.left_out.size()},
                    {"other_files", report.other_files}});
}

#if BIFRONS_HAS_MEDIA
/// The pictures of the faceset's only source in which no face was found.
std::vector<std::string> without_face(const data::Faceset& set)
{
    std::set<std::int64_t> with_face;
    for (const data::FaceRecord& face : set.faces) with_face.insert(face.frame);
    std::vector<std::string> names;
    const std::vector<std::string>& pictures = set.sources.at(0).pictures;
    for (std::size_t i = 0; i < pictures.size(); ++i)
        if (!with_face.contains(std::int64_t(i))) names.push_back(pictures[i]);
    return names;
}

/// Whether there is a faceset of which an earlier run has left nothing to do.
bool is_finished(const std::string& folder)
{
    if (!data::is_faceset(folder)) return false;
    const data::Faceset set = data::load_faceset(folder);
    return set.sources.size() != 1 || set.sources[0].complete;
}

/// Finds the face of each picture as extract does.
void import_plain_pictures(const Options& o, Console& console)
{
    BIFRONS_CHECK(usage, o.masks.empty(), "--masks is for faces whose landmarks are known, and the pictures of ",
                  o.from, " say nothing of them");
    BIFRONS_CHECK(usage, o.overwrite || !is_finished(o.out), o.out,
                  ": holds a faceset already. Choose another folder, or use --overwrite.");
    data::check_apart(o.from, o.out);
    console.say(str(o.from, ": pictures without data of DeepFaceLab or faceswap; their faces are searched, as extract "
                            "does"));
    std::optional<Progress> progress;
    data::ExtractOptions options{.overwrite = o.overwrite};
    options.finder = {.detector = {.kind = data::default_detector()},
                      .faces = data::Faces::largest,
                      .landmarks = {.kind = data::default_landmarks()}};
    options.cancel = &interrupt_flag();
    options.warn = [&](const std::string& text) { console.warn(text); };
    options.progress = [&](std::int64_t done, std::int64_t of) {
        if (!progress) progress.emplace(console, "import", "faces", of);
        progress->update(done);
    };
    const data::ExtractReport report = data::extract({o.from}, o.out, options);
    progress.reset();
    if (!report.complete)
        throw Interrupted(str("interrupted after ", report.frames, " pictures, kept in ", o.out,
                              ". Run the same command again to continue."));
    const data::Faceset set = data::load_faceset(o.out);
    const std::vector<std::string> none = without_face(set);
    warn_of_each("no face found", none, console);
    console.result(str(o.out, ": ", set.faces.size(), " ", name_of(set.type), " faces of ", set.side, " px\n  ",
                       none.size(), " pictures without a face, ", report.unreadable, " that cannot be read"),
                   {{"faceset", o.out},
                    {"faces", set.faces.size()},
                    {"face_type", name_of(set.type)},
                    {"side", set.side},
                    {"without_face", none.size()},
                    {"left_out", report.unreadable}});
}
#endif

void import(const Options& o, Console& console)
{
    std::vector<data::DflModelFiles> models;
    const bool is_folder = std::filesystem::is_directory(o.from);
    if (is_folder) models = data::dfl_models(o.from);
    BIFRONS_CHECK(usage, models.empty() || o.masks.empty(), "--masks is for faces, and ", o.from, " holds models");
    if (!models.empty()) return import_model(chosen_model(models, o.name), o.out, o.overwrite, console);
    BIFRONS_CHECK(usage, o.name.empty(), "--name is for a folder of models, and ", o.from, " has none");
#if BIFRONS_HAS_MEDIA
    if (is_folder && !data::is_faceset(o.from) && data::holds_plain_pictures(o.from))
        return import_plain_pictures(o, console);
#endif
    import_faceset(o, console);
}

} // namespace

Work declare_import(CLI::App& app)
{
    const auto o = std::make_shared<Options>();
    required(text(app, "INPUT", o->from, "PATH",
                  str("DeepFaceLab's folder of aligned faces, its faceset.pak, or its folder of models (SAEHD, "
                      "Quick96); faceswap's folder of faces; ",
                      BIFRONS_HAS_MEDIA ? "a folder of pictures of faces; " : "",
                      "with --masks also a faceset, which is copied")));
    required(text(app, "-o,--out", o->out, "FOLDER", "faceset folder or model folder to make"));
    text(app, "--masks", o->masks, "FOLDER",
         "grey pictures named like the faces' pictures, or with _mask behind: white where the face is; they take the "
         "place of the landmarks' hull in training and merging, and of masks that the faces have");
    text(app, "--name", o->name, "NAME", "which of several models in INPUT");
    flag(app, "--overwrite", o->overwrite, "replace the faceset or model that the folder holds");
    return [o](Console& console) { import(*o, console); };
}

} // namespace bifrons::tools
