#include "tools/commands.h"
#include "tools/finder_options.h"
#include "tools/footage_options.h"
#include "tools/interrupt.h"
#include "tools/left_out.h"
#include "tools/options.h"
#include "tools/progress.h"

namespace bifrons::tools {

namespace {

struct Options {
    std::vector<std::string> inputs;
    std::string out, alignments, face_type = "whole_face";
    std::function<data::FinderOptions(Console&)> finder;
    std::function<data::ReaderOptions()> reader;
    std::int64_t side = 256;
    bool overwrite = false;
};

data::ExtractOptions extract_options(const Options& o, const data::AlignmentsFile* alignments, Console& console)
{
    data::ExtractOptions e;
    e.alignments = alignments;
    if (!alignments) e.finder = o.finder(console);
    e.reader = o.reader();
    e.type = data::face_type_of(o.face_type);
    e.side = o.side;
    e.overwrite = o.overwrite;
    e.cancel = &interrupt_flag();
    return e;
}

void show(const data::ExtractReport& r, const std::string& out, Console& console)
{
    const double rate = r.seconds > 0 ? double(r.frames_now) / r.seconds : 0;
    console.result(str(out, ": ", r.counts.faces, " faces from ", r.frames, " frames\n  ", r.counts.empty,
                       " frames without a face, ", r.counts.ignored, " other faces ignored, ", r.counts.low_score,
                       " dropped for a low score, ", r.implausible, " for implausible landmarks\n  ", r.frames_now,
                       " frames in ", duration_text(r.seconds), ", ", std::int64_t(rate + 0.5), " frames/s"),
                   {{"faceset", out},
                    {"faces", r.counts.faces},
                    {"frames", r.frames},
                    {"frames_without_face", r.counts.empty},
                    {"ignored_faces", r.counts.ignored},
                    {"low_score_faces", r.counts.low_score},
                    {"implausible_faces", r.implausible},
                    {"unreadable_pictures", r.unreadable},
                    {"frames_now", r.frames_now},
                    {"seconds", r.seconds}});
}

void extract(const Options& o, Console& console)
{
    std::unique_ptr<Progress> progress; // one an input
    std::int64_t last = 0;
    std::optional<data::AlignmentsFile> alignments;
    if (!o.alignments.empty()) alignments.emplace(o.alignments);
    if (alignments) warn_of_each("faces in the alignments that cannot be used", alignments->left_out(), console);
    data::ExtractOptions options = extract_options(o, alignments ? &*alignments : nullptr, console);
    std::optional<LateProgress> loading(std::in_place, console, "load", "MB");
    options.loading = [&](std::int64_t read, std::int64_t of) { loading->update(megabytes(read), megabytes(of)); };
    options.progress = [&](std::int64_t done, std::int64_t of) {
        loading.reset();
        if (!progress || done < last) {
            progress.reset(); // ends its line before the next begins
            progress = std::make_unique<Progress>(console, "extract", "frames", of, done);
        }
        progress->update(done);
        last = done;
    };
    options.warn = [&](const std::string& text) { console.warn(text); };
    const data::ExtractReport report =
        data::extract(std::vector<std::filesystem::path>(o.inputs.begin(), o.inputs.end()), o.out, options);
    progress.reset();
    if (!report.complete)
        throw Interrupted(str("interrupted after ", report.frames, " frames, kept in ", o.out,
                              ". Run the same command again to continue."));
    show(report, o.out, console);
}

} // namespace

Work declare_extract(CLI::App& app)
{
    const auto o = std::make_shared<Options>();
    required(texts(app, "INPUT", o->inputs, "PATH", "videos, pictures or folders of pictures"));
    required(text(app, "-o,--out", o->out, "FOLDER", "faceset folder: a new one, or one to resume"));
    choice(app, "--face-type", o->face_type, {"half", "midfull", "full", "whole_face", "head"},
           "how much of the head a face covers; a model can use this type and all smaller ones");
    number<std::int64_t>(app, "--side", o->side, 16, 4096, "size of the face pictures, px");
    o->finder = finder_options(app);
    o->reader = reader_options(app);
    CLI::Option* const alignments = text(
        app, "--alignments", o->alignments, "FILE",
        "take the faces that faceswap found in this footage, from its alignments file (.fsa, or exported as JSON), "
        "instead of searching");
    for (const char* of_search :
         {"--faces", "--detector", "--detector-model", "--min-score", "--rotate", "--landmarks", "--landmark-model"})
        excludes(app, alignments, of_search);
    flag(app, "--overwrite", o->overwrite, "start over if the folder holds a faceset");
    return [o](Console& console) { extract(*o, console); };
}

} // namespace bifrons::tools
