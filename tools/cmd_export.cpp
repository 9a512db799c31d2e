#include "data/export/export.h"
#include "tools/commands.h"
#include "tools/interrupt.h"
#include "tools/left_out.h"
#include "tools/open_faceset.h"
#include "tools/options.h"
#include "tools/progress.h"

#include <optional>

namespace bifrons::tools {

namespace {

struct Options {
    std::string from, out, format = "dfl";
    bool overwrite = false;
};

void export_faceset(const Options& o, Console& console)
{
    console.begin_work();
    const data::Faceset set = open_faceset(o.from, console);
    std::optional<Progress> progress;
    data::ExportOptions options{.overwrite = o.overwrite, .work = {.cancel = &interrupt_flag()}};
    options.work.progress = [&](std::int64_t done, std::int64_t of) {
        if (!progress) progress.emplace(console, "export", "faces", of);
        progress->update(done);
    };
    const data::ExportReport report = data::export_to_deepfacelab(set, o.out, options);
    progress.reset();
    if (!report.complete)
        throw Interrupted(
            str("interrupted; the faces so far are in ", o.out, ". Run the same command again with --overwrite."));
    warn_of_each("left out", report.left_out, console);
    if (report.encoded > 0)
        console.warn(str(report.encoded, " pictures are no JPEG and were encoded as one, of quality ",
                         data::kExportQuality, "; the others stayed as they are"));
    console.result(str(o.out, ": ", report.faces, " ", name_of(set.type), " faces of ", set.side,
                       " px for DeepFaceLab, ", report.masks, " with a mask\n  ", report.encoded,
                       " pictures encoded as JPEG, ", report.shrunk_masks, " masks stored smaller, ",
                       report.left_out.size(), " left out"),
                   {{"out", o.out},
                    {"faces", report.faces},
                    {"masks", report.masks},
                    {"encoded", report.encoded},
                    {"shrunk_masks", report.shrunk_masks},
                    {"left_out", report.left_out.size()}});
}

} // namespace

Work declare_export(CLI::App& app)
{
    const auto o = std::make_shared<Options>();
    required(text(app, "INPUT", o->from, "FOLDER", "faceset folder"));
    choice(app, "--format", o->format, {"dfl"}, "dfl: aligned JPEG pictures that DeepFaceLab and its XSeg editor open");
    required(text(app, "-o,--out", o->out, "FOLDER", "folder for the pictures, new or empty"));
    flag(app, "--overwrite", o->overwrite, "replace files of the same names");
    return [o](Console& console) { export_faceset(*o, console); };
}

} // namespace bifrons::tools
