#include "model/discriminator.h"

namespace bifrons::model {

namespace {

constexpr int kMostChannels = 512;
const kernels::Activation kAct = kernels::leaky(0.2f), kCodeAct = kernels::leaky(0.1f);

/// dims * 2^level, limited.
int channels_at(int dims, int level, int most = kMostChannels)
{
    return int(std::min<std::int64_t>(std::int64_t(dims) << level, most));
}

/// Pictures are f32; what is computed from them is as wide as the precision says.
Var features_of(Tape& tape, const Var& picture)
{
    return tape.precision() == Precision::bf16 ? cast(tape, picture, DType::bf16) : picture;
}

Var answers(Tape& tape, const Conv& head, const Var& x)
{
    return head(tape, x, {.f32_result = true});
}

} // namespace

FcDiscriminator::FcDiscriminator(Parameters& params, const std::string& name, int resolution, int dims)
{
    int side = resolution, channels = 3;
    for (int level = 0; side > 4; ++level) {
        const int wider = channels_at(dims, level);
        downs_.emplace_back(params, str(name, ".down", level + 1), channels, wider, 5, 2);
        channels = wider;
        side = (side + 1) / 2;
    }
    const int hidden = channels_at(dims, 4);
    dense_ = std::make_unique<Dense>(params, name + ".dense", side * side * channels, hidden);
    out_ = std::make_unique<Conv>(params, name + ".out", hidden, 1, 1);
}

std::vector<Var> FcDiscriminator::operator()(Tape& tape, const Var& picture) const
{
    Var x = features_of(tape, picture);
    for (const Conv& down : downs_) x = down(tape, x, {.act = kAct});
    const std::int64_t N = x.shape()[0];
    x = (*dense_)(tape, reshape(tape, x, {N, x.value().size() / N}), kAct);
    return {answers(tape, *out_, reshape(tape, x, {N, 1, 1, x.shape()[1]}))};
}

PatchDiscriminator::PatchDiscriminator(Parameters& params, const std::string& name, int patch, int dims)
{
    const std::vector<int> strides = patch_strides(patch);
    const int levels = int(strides.size()), deepest = channels_at(dims, levels);
    in_ = std::make_unique<Conv>(params, name + ".in", 3, dims, 1);
    for (int i = 0; i < levels; ++i) {
        const int C = channels_at(dims, i), K = channels_at(dims, i + 1), stride = strides[std::size_t(i)];
        downs_.emplace_back(params, str(name, ".down", i + 1), C, K, 3, stride);
        ups_.emplace_back(params, str(name, ".up", i + 1), i + 1 < levels ? 2 * K : K, C, 3, stride);
    }
    centre_ = std::make_unique<Conv>(params, name + ".centre", deepest, 1, 1);
    bottom_ = std::make_unique<Conv>(params, name + ".bottom", deepest, deepest, 1);
    full_ = std::make_unique<Conv>(params, name + ".full", 2 * dims, 1, 1);
}

std::vector<Var> PatchDiscriminator::operator()(Tape& tape, const Var& picture) const
{
    std::vector<Var> on_the_way = {(*in_)(tape, features_of(tape, picture), {.act = kAct})};
    for (const Conv& down : downs_) on_the_way.push_back(down(tape, on_the_way.back(), {.act = kAct}));
    const Var centre = answers(tape, *centre_, on_the_way.back());
    Var x = (*bottom_)(tape, on_the_way.back(), {.act = kAct});
    for (std::size_t i = ups_.size(); i-- > 0;) x = concat_channels(tape, on_the_way[i], ups_[i](tape, x, kAct));
    return {centre, answers(tape, *full_, x)};
}

CodeDiscriminator::CodeDiscriminator(Parameters& params, const std::string& name, int side, int channels)
{
    constexpr int kDims = 256;
    for (int i = 0; i < 1 + side / 8; ++i) {
        const int wider = channels_at(kDims, i, 8 * kDims);
        downs_.emplace_back(params, str(name, ".down", i + 1), channels, wider, i == 0 ? 4 : 3, 2);
        channels = wider;
    }
    out_ = std::make_unique<Conv>(params, name + ".out", channels, 1, 1);
}

std::vector<Var> CodeDiscriminator::operator()(Tape& tape, const Var& code) const
{
    Var x = code;
    for (const Conv& down : downs_) x = down(tape, x, {.act = kCodeAct});
    return {answers(tape, *out_, x)};
}

} // namespace bifrons::model
