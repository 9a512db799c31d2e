#include "data/export/export.h"
#include "engine/checkpoint.h"
#include "tools/commands.h"
#include "tools/export_model.h"
#include "tools/interrupt.h"
#include "tools/left_out.h"
#include "tools/open_faceset.h"
#include "tools/options.h"
#include "tools/progress.h"

#include <optional>

namespace bifrons::tools {

namespace {

struct Options {
    std::string from, out, format = "auto", part, name;
    bool half = false, overwrite = false;
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

/// What --format says, or the ending of the output's name.
std::string format_of(const Options& o)
{
    if (o.format != "auto") return o.format;
    const std::string ending = data::lower_ending(o.out);
    return ending == ".dfm" || ending == ".onnx" ? ending.substr(1) : "dfl";
}

void export_any(const Options& o, Console& console)
{
    namespace fs = std::filesystem;
    const std::string format = format_of(o);
    const bool is_faceset = holds_faceset(o.from);
    BIFRONS_CHECK(data, fs::exists(o.from), o.from, ": does not exist; expected a faceset or a model folder");
    BIFRONS_CHECK(data, is_faceset || !fs::is_directory(o.from) || !list_checkpoints(o.from).empty(), o.from,
                  ": holds neither a faceset nor a model; expected one of them");
    BIFRONS_CHECK(usage, format == "dfl" || !is_faceset, o.from, ": is a faceset; only a model becomes ", format);
    BIFRONS_CHECK(usage, format == "onnx" || o.part.empty(), "--part ", o.part, ": is for --format onnx");
    BIFRONS_CHECK(usage, format != "dfl" || !o.half, "--fp16 is for --format dfm and onnx");
    BIFRONS_CHECK(usage, o.name.empty() || (format == "dfl" && !is_faceset), "--name ", o.name,
                  ": is for a model with --format dfl");
    if (is_faceset) return export_faceset(o, console);
    if (format == "dfl")
        return export_dfl_model({.from = o.from, .out = o.out, .name = o.name, .overwrite = o.overwrite}, console);
    export_onnx({.from = o.from,
                 .out = o.out,
                 .kind = format == "dfm" ? OnnxKind::dfm : OnnxKind::plain,
                 .part = o.part,
                 .half = o.half,
                 .overwrite = o.overwrite},
                console);
}

} // namespace

Work declare_export(CLI::App& app)
{
    const auto o = std::make_shared<Options>();
    required(text(app, "INPUT", o->from, "PATH", "faceset, model folder or checkpoint"));
    required(text(app, "-o,--out", o->out, "PATH", "file to write (.dfm, .onnx), or folder"));
    choice(
        app, "--format", o->format, {"auto", "dfl", "dfm", "onnx"},
        "dfl: for DeepFaceLab, a faceset's faces as aligned JPEG pictures, which its XSeg editor opens as well, or a "
        "model of its SAEHD; "
        "dfm: the model for DeepFaceLive and FaceFusion; onnx: the model for other programs; auto: by the ending of "
        "the output's name, dfl for a folder");
    text(app, "--part", o->part, "NAME",
         "of onnx: one part of the model, such as encoder, decoder_src or discriminator; without it the whole network, "
         "without discriminators");
    text(app, "--name", o->name, "NAME", "of dfl: the model's name there; without it that of its folder here");
    flag(app, "--fp16", o->half, "of dfm and onnx: half the size, computes in f16; inputs and outputs stay f32");
    flag(app, "--overwrite", o->overwrite, "replace files of the same names, or a model of the same name");
    return [o](Console& console) { export_any(*o, console); };
}

} // namespace bifrons::tools
