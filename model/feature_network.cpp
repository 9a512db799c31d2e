#include "model/feature_network.h"

#include "kernels/base/bf16.h"
#include "kernels/base/words.h"
#include "kernels/resample/max_pool.h"

#include <algorithm>
#include <cmath>

namespace bifrons::model {

namespace {

using Kind = FeatureLayer::Kind;

/// [K,C,R,S] -> [K,R,S,C].
std::vector<float> channels_last(const FeatureConv& c, const std::vector<float>& w)
{
    const std::int64_t taps = std::int64_t(c.side) * c.side;
    std::vector<float> moved(w.size());
    for (std::int64_t k = 0; k < c.K; ++k)
        for (std::int64_t tap = 0; tap < taps; ++tap)
            for (std::int64_t channel = 0; channel < c.C; ++channel)
                moved[std::size_t((k * taps + tap) * c.C + channel)] = w[std::size_t((k * c.C + channel) * taps + tap)];
    return moved;
}

} // namespace

FeatureNetwork::FeatureNetwork(kernels::Device& device, const std::string& path, std::vector<Tap> taps,
                               Precision precision, DType dtype)
    : device_(device), pool_(device), path_(path), filter_type_(precision == Precision::bf16 ? DType::bf16 : dtype),
      type_(dtype), taps_(std::move(taps))
{
    const SafetensorsFile file(path);
    file_ = describe_features(file);
    if (taps_.empty())
        for (const std::string& name : file_.taps) taps_.push_back({name});
    BIFRONS_CHECK(data, !taps_.empty(), path, ": ends before ", file_.name, "'s first tap. Name other taps.");
    const FeatureLayer* deepest = file_.layers.data();
    for (const Tap& tap : taps_) deepest = std::max(deepest, &layer_of(tap));
    file_.layers.resize(std::size_t(deepest - file_.layers.data() + 1));

    for (const FeatureLayer& layer : file_.layers)
        for (const FeatureConv& c : layer.convs)
            filters_[c.name] = {
                place({c.K, c.side, c.side, c.C}, filter_type_, channels_last(c, read(file, c.name + ".weight"))),
                place({c.K}, type_, read(file, c.name + ".bias"))};
    for (const Tap& tap : taps_) {
        const std::string& head = layer_of(tap).head;
        heads_.push_back(head.empty() ? Tensor() : place({layer_of(tap).channels()}, type_, read(file, head)));
    }
}

const FeatureLayer& FeatureNetwork::layer_of(const Tap& tap) const
{
    std::vector<std::string> names;
    for (const FeatureLayer& layer : file_.layers) {
        if (layer.tap == tap.name && layer.kind != Kind::pool) return layer;
        if (!layer.tap.empty()) names.push_back(layer.tap);
    }
    throw Error(ErrorKind::usage, str(path_, " (", file_.name, ") has no tap \"", tap.name, "\"; it has ",
                                      joined(names), ". Change perceptual_taps or the file."));
}

std::vector<float> FeatureNetwork::read(const SafetensorsFile& file, const std::string& tensor) const
{
    std::vector<float> values = float_values(file.at(tensor));
    for (const float v : values)
        BIFRONS_CHECK(data, std::isfinite(v), path_, ": ", tensor, " holds ", v, "; expected finite numbers");
    return values;
}

Tensor FeatureNetwork::place(const Shape& shape, DType dtype, const std::vector<float>& values)
{
    const Tensor t = Tensor::empty(shape, dtype, pool_);
    bytes_ += t.bytes();
    if (device_.kind() == kernels::DeviceKind::plan) return t;
    if (dtype != DType::bf16) {
        t.upload(kernels::Exec{&device_, {}, {}}, values);
        return t;
    }
    std::vector<kernels::bf16> narrow(values.size());
    std::transform(values.begin(), values.end(), narrow.begin(), kernels::to_bf16);
    device_.copy({}, t.view().data, narrow.data(), t.bytes());
    device_.synchronize({});
    return t;
}

Var FeatureNetwork::conv(Tape& tape, const Var& x, const FeatureConv& c) const
{
    const Tape::Scope scope(tape, c.name);
    const Filters& f = filters_.at(c.name);
    const bool mirror = file_.reflect && c.pad > 0;
    return conv2d(tape, mirror ? pad_reflect(tape, x, c.pad) : x, Var(f.weight),
                  {.bias = Var(f.bias), .stride = c.stride, .pad = mirror ? 0 : c.pad, .act = {kernels::Act::relu}});
}

Var FeatureNetwork::run(Tape& tape, const Var& x, const FeatureLayer& layer) const
{
    if (layer.kind == Kind::pool) return max_pool(tape, x, layer.window, 2, layer.ceil);
    const Var y = conv(tape, x, layer.convs[0]);
    if (layer.kind == Kind::conv) return y;
    const Var narrow = conv(tape, y, layer.convs[1]), wide = conv(tape, y, layer.convs[2]);
    return concat_channels(tape, narrow, wide);
}

bool FeatureNetwork::fits(std::int64_t side) const
{
    for (const FeatureLayer& layer : file_.layers) {
        if (layer.kind == Kind::pool) {
            const kernels::MaxPoolShape pool{.window = layer.window, .stride = 2, .ceil = layer.ceil};
            if (side < pool.window) return false;
            side = pool.windows(side);
            continue;
        }
        const FeatureConv& c = layer.convs[0]; // a fire's others keep the side
        if (side + 2 * c.pad < c.side || (file_.reflect && side <= c.pad)) return false;
        side = (side + 2 * c.pad - c.side) / c.stride + 1;
    }
    return true;
}

std::vector<Var> FeatureNetwork::operator()(Tape& tape, const Var& pictures, const Tensor& mask) const
{
    const Tape::Scope scope(tape, "features");
    Var x = color_affine(tape, pictures, mask, file_.input, filter_type_);
    std::vector<Var> features(taps_.size());
    for (const FeatureLayer& layer : file_.layers) {
        x = run(tape, x, layer);
        for (std::size_t i = 0; i < taps_.size(); ++i)
            if (!layer.tap.empty() && taps_[i].name == layer.tap) features[i] = x;
    }
    return features;
}

} // namespace bifrons::model
