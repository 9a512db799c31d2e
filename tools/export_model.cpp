#include "tools/export_model.h"

#include "data/file.h"
#include "model/export/onnx.h"
#include "model/trainer.h"
#include "tools/open_model.h"

namespace bifrons::tools {

void export_onnx(const OnnxExport& wanted, Console& console)
{
    const data::Existing existing = wanted.overwrite ? data::Existing::replace : data::Existing::keep;
    data::check_destination(wanted.out, existing);
    console.begin_work();
    const Checkpoint checkpoint = open_checkpoint(wanted.from, console);
    const model::OnnxOptions options{.half = wanted.half, .producer = "Bifrons " BIFRONS_VERSION};
    const std::string bytes = wanted.kind == OnnxKind::dfm ? model::dfm_file(checkpoint, options)
                                                           : model::onnx_file(checkpoint, wanted.part, options);
    data::write_file(wanted.out, bytes, existing, Flush::yes);
    const model::Settings s = model::settings_of(checkpoint);
    const char* const type = wanted.half ? "f16" : "f32";
    console.result(str(wanted.out, ": ", wanted.part.empty() ? "the network" : wanted.part, " at step ",
                       checkpoint.step, ", ", s.archi, " ", s.resolution, " px, ", s.face_type, ", ", type, ", ",
                       human_bytes(double(bytes.size()))),
                   {{"out", wanted.out},
                    {"part", wanted.part.empty() ? "all" : wanted.part},
                    {"step", checkpoint.step},
                    {"archi", s.archi},
                    {"resolution", s.resolution},
                    {"face_type", s.face_type},
                    {"dtype", type},
                    {"bytes", bytes.size()}});
}

} // namespace bifrons::tools
