#include "data/merge/merge.h"
#include "kernels/augment/blur_outside.h"
#include "kernels/augment/recolor.h"
#include "kernels/device/roofline.h"
#include "model/trainer.h"
#include "model/wanted_settings.h"
#include "tools/commands.h"
#include "tools/coverage_report.h"
#include "tools/options.h"
#include "tools/preview_sheet.h"
#include "tools/training_data.h"

#include <algorithm>
#include <cmath>
#include <iomanip>

namespace bifrons::tools {

namespace {

struct Options {
    model::NamedSettings named;
    std::string target = "cpu", src, dst;
    std::int64_t faces = 1000;
    bool layers = false;
};

/// Stands for the two facesets: their memory is known, their pictures are not needed.
class PlannedSource : public BatchSource {
  public:
    explicit PlannedSource(const model::Settings& settings) : settings_(settings) {}
    void enqueue(kernels::Exec ex, const kernels::StepState*, Batch& batch) override
    {
        const kernels::BatchShape shape{.N = batch.input.shape()[0] / 2, .side = batch.input.shape()[1]};
        const kernels::Faces faces{.count = 1,
                                   .side = faces_side(settings_),
                                   .eyes_mouth = {batch.eyes_mouth.view().data, kernels::DType::u8}};
        const kernels::Samples out{batch.input.view(), batch.target.view(), batch.mask.view(), batch.eyes_mouth.view()};
        if (recolored())
            kernels::run(ex, kernels::Recolor{.s = shape,
                                              .kind = data::color_kind_of(settings_.ct_mode),
                                              .faces = faces,
                                              .references = faces});
        for (int identity = 0; identity < 2; ++identity)
            kernels::run(ex, kernels::Augment{.s = shape, .faces = faces, .out = out});
        if (settings_.blur_out_mask)
            kernels::run(ex, kernels::BlurOutside{{2 * shape.N, shape.side, shape.side}, out.mask, out.target});
    }
    /// Of the facesets on the device, and of what ct_mode makes of them.
    std::size_t bytes(std::int64_t faces) const
    {
        const std::int64_t pixels = faces_side(settings_) * faces_side(settings_);
        const std::int64_t of_face = pixels * (settings_.eyes_mouth_prio ? 5 : 4) + (settings_.uniform_yaw ? 16 : 0);
        return std::size_t(2 * faces * of_face + (recolored() ? 3 * settings_.batch_size * pixels : 0));
    }

  private:
    bool recolored() const { return settings_.ct_mode != "none"; }
    const model::Settings& settings_;
};

/// One layer's share of a step.
struct Layer {
    std::string name;
    double forward = 0, gradient = 0, bytes = 0; ///< FLOPs, FLOPs, bytes moved
    double floor = 0;                            ///< seconds on the GPU that is planned for; 0 where none is
};

/// The GPU that is planned for, if any, and what its products are formed of.
struct Roofline {
    const kernels::Ceilings* gpu = nullptr;
    kernels::Arithmetic products = kernels::Arithmetic::f32;

    /// The least time of an operation, by its path "layer/operation"; 0 without a GPU.
    double floor(const std::string& path, const kernels::Cost& cost) const
    {
        const std::string op = path.substr(path.rfind('/') + 1);
        return gpu ? kernels::floor_seconds(cost, *gpu, kernels::arithmetic_of(op, products)) : 0;
    }
};

kernels::Arithmetic arithmetic_of(Precision precision)
{
    switch (precision) {
    case Precision::f32:
        return kernels::Arithmetic::f32;
    case Precision::tf32:
        return kernels::Arithmetic::tf32;
    case Precision::bf16:
        return kernels::Arithmetic::bf16;
    }
    return kernels::Arithmetic::f32;
}

/// Sums the operations of a step by layer, in the order of their first appearance.
std::vector<Layer> by_layer(const std::vector<std::pair<std::string, kernels::Cost>>& costs, const Roofline& roofline)
{
    std::vector<Layer> layers;
    const std::string suffix = kGradientRange;
    for (const auto& [path, cost] : costs) {
        const std::size_t slash = path.find('/');
        std::string name = slash == path.npos ? "batch and step" : path.substr(0, slash);
        const bool gradient = name.size() > suffix.size() && name.ends_with(suffix);
        if (gradient) name.resize(name.size() - suffix.size());
        if (name.empty()) name = "network, between layers";
        auto it = std::find_if(layers.begin(), layers.end(), [&](const Layer& l) { return l.name == name; });
        if (it == layers.end()) it = layers.insert(layers.end(), Layer{.name = name});
        (gradient ? it->gradient : it->forward) += cost.flops;
        it->bytes += cost.bytes;
        it->floor += roofline.floor(path, cost);
    }
    return layers;
}

Layer sum(const std::vector<Layer>& layers, const std::string& name = "total")
{
    Layer all{.name = name};
    for (const Layer& l : layers) {
        all.forward += l.forward;
        all.gradient += l.gradient;
        all.bytes += l.bytes;
        all.floor += l.floor;
    }
    return all;
}

void print_layer(std::ostream& out, const Layer& l)
{
    out << "  " << std::left << std::setw(28) << l.name << std::right << std::fixed << std::setprecision(3)
        << std::setw(12) << l.forward / 1e9 << std::setw(12) << l.gradient / 1e9 << std::setw(12) << l.bytes / 1e6;
    if (l.floor > 0) out << std::setprecision(1) << std::setw(12) << l.floor * 1e6;
    out << '\n';
}

/// Trained values beside the generator's.
std::int64_t adversaries_count(const Parameters& params)
{
    std::int64_t n = 0;
    for (const Parameters::Entry& e : params.entries())
        if (e.offset >= params.groups().front().end) n += e.shape.size();
    return n;
}

/// What the facesets call for: what they show if both are given, and the resolution that fits the faces to be made.
void add_facesets(const Options& o, const model::Settings& settings, std::ostream& text, Json& values, Console& console)
{
    std::optional<data::Faceset> src, dst;
    if (!o.src.empty()) src = usable_faceset(o.src, console);
    if (!o.dst.empty()) dst = usable_faceset(o.dst, console);
    if (src && dst) tell_coverage(*src, *dst, settings, console);
    if (!dst) return;
    const data::FaceType type = data::face_type_of(settings.face_type);
    const double side = data::side_in_footage(*dst, type);
    text << "\nresolution " << data::fitting_resolution(side) << " fits " << o.dst << ", whose faces have "
         << std::lround(side) << " px in their footage (" << settings.face_type << "); planned is "
         << settings.resolution << '\n';
    values["fitting_resolution"] = data::fitting_resolution(side);
}

void plan(const Options& o, Console& console)
{
    const model::Settings settings = model::wanted_settings({}, o.named);
    const auto device = kernels::open_device("plan:" + o.target);
    const model::Settings effect = model::in_effect(settings);
    model::Settings as_they_are = effect; // faces that are held out keep their colours
    as_they_are.ct_mode = "none";
    PlannedSource source(effect), held_out(as_they_are);
    model::Trainer trainer(*device, settings, source, settings.validation_fraction > 0 ? &held_out : nullptr);
    PreviewSheet preview(*device, trainer.network(), {}, {}, IdentityData::kPreviewRows, trainer.precision());
    preview.share(trainer.shared_step());

    const model::MemoryUse use = trainer.memory_use();
    const std::size_t faceset = source.bytes(o.faces);
    const std::vector<std::pair<const char*, std::size_t>> rows = {
        {"weights", use.weights},
        {"bf16 weights", use.packed},
        {"gradients", use.gradients},
        {"moments", use.moments},
        {"average", use.average},
        {"batch", use.batch},
        {"activations", use.activations},
        {"perceptual", use.perceptual},
        {"workspace", use.workspace},
        {"validation", use.validation},
        {"preview", preview.planned_bytes()},
        {"faceset", faceset},
        {"total", use.total() + preview.planned_bytes() + faceset}};
    const kernels::Ceilings* const gpu = kernels::ceilings_of(device->target());
    const Roofline roofline{gpu, arithmetic_of(model::precision_of(settings, device->target()))};
    const std::vector<Layer> layers = by_layer(trainer.costs(), roofline);

    std::ostringstream text;
    Json bytes = Json::object(), layer_list = Json::array();
    text << settings.archi << ' ' << settings.resolution << " px, batch " << settings.batch_size << " + "
         << settings.batch_size << ", for " << o.target << '\n'
         << "parameters " << trainer.parameters().count();
    if (const std::int64_t others = adversaries_count(trainer.parameters()))
        text << ", of which the discriminators have " << others;
    text << "\n\nbytes\n";
    for (const auto& [name, value] : rows) {
        text << "  " << std::left << std::setw(14) << name << std::right << std::setw(14) << value << "  "
             << human_bytes(double(value)) << '\n';
        bytes[name] = value;
    }
    text << "  (faceset: " << o.faces << " faces per identity, see --faces)\n\none step"
         << "                        forward    gradient       moved" << (gpu ? "       floor" : "") << "\n"
         << "                                GFLOP       GFLOP          MB" << (gpu ? "          us" : "") << "\n";
    for (const Layer& l : layers) {
        if (o.layers) print_layer(text, l);
        layer_list.push_back(
            {{"name", l.name}, {"forward_flops", l.forward}, {"gradient_flops", l.gradient}, {"bytes", l.bytes}});
        if (gpu) layer_list.back()["floor_s"] = l.floor;
    }
    print_layer(text, sum(layers));
    std::vector<Layer> adversaries;
    for (const Layer& l : layers)
        if (l.name.find("discriminator.") != l.name.npos) adversaries.push_back(l);
    if (!adversaries.empty()) print_layer(text, sum(adversaries, "discriminators' part"));
    if (!o.layers) text << "  (--layers lists all layers)\n";
    Json values = {{"parameters", trainer.parameters().count()}, {"bytes", bytes}, {"layers", layer_list}};
    if (gpu) {
        text << "  floor: of each operation, the longer of arithmetic / rate and bytes / bandwidth on the " << gpu->gpu
             << " (" << gpu->origin << ")\n";
        values["floor_of"] = gpu->gpu;
        values["floor_s"] = sum(layers).floor;
    }
    add_facesets(o, settings, text, values, console);
    console.result(text.str(), values);
}

} // namespace

Work declare_plan(CLI::App& app)
{
    const auto options = std::make_shared<Options>();
    settings_options(app, options->named);
    text(app, "--for", options->target, "TARGET", "device to plan for: cpu, cuda or cuda:sm_90");
    number<std::int64_t>(app, "--faces", options->faces, 0, 10000000, "number of faces per identity");
    text(app, "--src", options->src, "FACESET", "source: with --dst, show what both have and what the source lacks");
    text(app, "--dst", options->dst, "FACESET", "destination: name the resolution that fits its faces");
    flag(app, "--layers", options->layers, "list all layers");
    return [options](Console& console) { plan(*options, console); };
}

} // namespace bifrons::tools
