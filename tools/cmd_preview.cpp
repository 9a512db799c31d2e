#include "model/trained.h"
#include "tools/commands.h"
#include "tools/open_model.h"
#include "tools/options.h"
#include "tools/preview_sheet.h"
#include "tools/training_data.h"

namespace bifrons::tools {

namespace {

struct Options {
    std::string model, src, dst, out = "preview.png", device = "auto";
    std::int64_t rows = IdentityData::kPreviewRows;
    bool overwrite = false;
};

void preview(const Options& o, Console& console)
{
    const data::Existing existing = o.overwrite ? data::Existing::replace : data::Existing::keep;
    data::check_picture_destination(o.out, existing);
    const Checkpoint checkpoint = open_checkpoint(o.model, console);
    const data::Faceset src = open_faceset(o.src, console), dst = open_faceset(o.dst, console);
    const auto device = open_device(o.device, console);
    const model::TrainedModel model(*device, checkpoint);
    if (model.averaged()) console.say("using the averaged weights (ema)");
    PreviewSheet sheet(*device, model.network(), sample_pictures(src, model.settings(), o.rows, console),
                       sample_pictures(dst, model.settings(), o.rows, console), o.rows, model.precision());
    data::save_image(o.out, sheet.draw(str("step ", model.step())), {.existing = existing});
    console.result(
        str(o.out, ": ", o.rows, " faces of each faceset at step ", model.step(),
            "\n  source, reconstruction, mask | destination, swap, mask | destination's reconstruction, mask\n"),
        {{"out", o.out}, {"rows", o.rows}, {"step", model.step()}});
}

} // namespace

Work declare_preview(CLI::App& app)
{
    const auto o = std::make_shared<Options>();
    required(text(app, "--model", o->model, "FOLDER", "model folder, or one of its checkpoints"));
    required(text(app, "--src", o->src, "FACESET", "source faceset"));
    required(text(app, "--dst", o->dst, "FACESET", "destination faceset"));
    text(app, "-o,--out", o->out, "FILE", "preview sheet, .png or .jpg");
    number<std::int64_t>(app, "--rows", o->rows, 1, 64, "faces per faceset, evenly spaced");
    flag(app, "--overwrite", o->overwrite, "replace an existing picture");
    device_option(app, o->device);
    return [o](Console& console) { preview(*o, console); };
}

} // namespace bifrons::tools
