#include "data/import/import.h"
#include "tools/commands.h"
#include "tools/import_model.h"
#include "tools/interrupt.h"
#include "tools/left_out.h"
#include "tools/options.h"
#include "tools/progress.h"

#include <optional>

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

void import(const Options& o, Console& console)
{
    std::vector<data::DflModelFiles> models;
    if (std::filesystem::is_directory(o.from)) models = data::dfl_models(o.from);
    BIFRONS_CHECK(usage, models.empty() || o.masks.empty(), "--masks is for faces, and ", o.from, " holds models");
    if (!models.empty()) return import_model(chosen_model(models, o.name), o.out, o.overwrite, console);
    BIFRONS_CHECK(usage, o.name.empty(), "--name is for a folder of models, and ", o.from, " has none");
    import_faceset(o, console);
}

} // namespace

Work declare_import(CLI::App& app)
{
    const auto o = std::make_shared<Options>();
    required(text(app, "INPUT", o->from, "PATH",
                  "DeepFaceLab's folder of aligned faces, its faceset.pak, or its folder of models (SAEHD, Quick96); "
                  "with --masks also a faceset, which is copied"));
    required(text(app, "-o,--out", o->out, "FOLDER", "faceset folder or model folder to make"));
    text(app, "--masks", o->masks, "FOLDER",
         "grey pictures named like the faces' pictures, or with _mask behind: white where the face is; they take the "
         "place of the landmarks' hull in training and merging, and of masks that the faces have");
    text(app, "--name", o->name, "NAME", "which of several models in INPUT");
    flag(app, "--overwrite", o->overwrite, "replace the faceset or model that the folder holds");
    return [o](Console& console) { import(*o, console); };
}

} // namespace bifrons::tools
