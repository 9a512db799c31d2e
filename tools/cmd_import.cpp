#include "data/import/import.h"
#include "tools/commands.h"
#include "tools/import_model.h"
#include "tools/interrupt.h"
#include "tools/options.h"
#include "tools/progress.h"

#include <optional>

namespace bifrons::tools {

namespace {

struct Options {
    std::string from, out, name;
    bool overwrite = false;
};

/// The first ones by name, the others by number.
void tell_left_out(const std::vector<std::string>& left_out, Console& console)
{
    constexpr std::size_t kMost = 10;
    for (std::size_t i = 0; i < left_out.size() && i < kMost; ++i) console.warn("left out: " + left_out[i]);
    if (left_out.size() > kMost) console.warn(str("left out: ", left_out.size() - kMost, " more"));
}

void import_faceset(const Options& o, Console& console)
{
    console.begin_work();
    std::optional<Progress> progress;
    data::ImportOptions options{.overwrite = o.overwrite, .cancel = &interrupt_flag()};
    options.progress = [&](std::int64_t done, std::int64_t of) {
        if (!progress) progress.emplace(console, "import", "faces", of);
        progress->update(done);
    };
    const data::ImportReport report = data::import_faces(o.from, o.out, options);
    progress.reset();
    tell_left_out(report.left_out, console);
    if (!report.complete) throw Interrupted("interrupted; no faceset was made. Run the same command again.");
    console.result(str(o.out, ": ", report.faces, " ", name_of(report.type), " faces of ", report.side, " px, ",
                       report.masks, " with a mask\n  ", report.resized, " resized, ", report.left_out.size(),
                       " left out, ", report.other_files, " other files"),
                   {{"faceset", o.out},
                    {"faces", report.faces},
                    {"face_type", name_of(report.type)},
                    {"side", report.side},
                    {"masks", report.masks},
                    {"resized", report.resized},
                    {"left_out", report.left_out.size()},
                    {"other_files", report.other_files}});
}

void import(const Options& o, Console& console)
{
    std::vector<data::DflModelFiles> models;
    if (std::filesystem::is_directory(o.from)) models = data::dfl_models(o.from);
    if (!models.empty()) return import_model(chosen_model(models, o.name), o.out, o.overwrite, console);
    BIFRONS_CHECK(usage, o.name.empty(), "--name is for a folder of models, and ", o.from, " has none");
    import_faceset(o, console);
}

} // namespace

Work declare_import(CLI::App& app)
{
    const auto o = std::make_shared<Options>();
    required(text(app, "INPUT", o->from, "PATH",
                  "DeepFaceLab's folder of aligned faces, its faceset.pak, or its folder of models (SAEHD, Quick96)"));
    required(text(app, "-o,--out", o->out, "FOLDER", "faceset folder or model folder to make"));
    text(app, "--name", o->name, "NAME", "which of several models in INPUT");
    flag(app, "--overwrite", o->overwrite, "replace the faceset or model that the folder holds");
    return [o](Console& console) { import(*o, console); };
}

} // namespace bifrons::tools
