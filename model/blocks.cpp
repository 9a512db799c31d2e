#include "model/blocks.h"

namespace bifrons::model {

namespace {

Init glorot(std::int64_t fan_in, std::int64_t fan_out)
{
    return {.kind = Init::Kind::glorot_uniform, .fan_in = fan_in, .fan_out = fan_out};
}

} // namespace

Conv::Conv(Parameters& params, const std::string& name, int C, int K, int kernel, int stride, int heads)
    : params_(params), name_(name), kernel_(kernel), stride_(stride)
{
    const std::int64_t taps = std::int64_t(kernel) * kernel;
    weight_ = params.declare(name + ".weight", {K, kernel, kernel, C}, glorot(taps * C, taps * K / heads));
    bias_ = params.declare(name + ".bias", {K}, {});
}

Var Conv::operator()(Tape& tape, const Var& x, const ConvStore& store) const
{
    const Tape::Scope scope(tape, name_);
    return conv2d(tape, x, params_.var(tape, weight_),
                  {.bias = params_.var(tape, bias_),
                   .stride = stride_,
                   .pad = kernel_ / 2,
                   .add = store.add,
                   .act = store.act,
                   .shuffle = store.shuffle,
                   .f32_result = store.f32_result});
}

ConvTranspose::ConvTranspose(Parameters& params, const std::string& name, int C, int K, int kernel, int stride)
    : params_(params), name_(name), stride_(stride)
{
    const std::int64_t taps = std::int64_t(kernel) * kernel;
    // Filters of the mirrored convolution, which maps K channels to C.
    weight_ = params.declare(name + ".weight", {C, kernel, kernel, K}, glorot(taps * C, taps * K));
    bias_ = params.declare(name + ".bias", {K}, {});
}

Var ConvTranspose::operator()(Tape& tape, const Var& x, kernels::Activation act) const
{
    const Tape::Scope scope(tape, name_);
    return conv2d_transpose(tape, x, params_.var(tape, weight_),
                            {.bias = params_.var(tape, bias_), .stride = stride_, .act = act});
}

Dense::Dense(Parameters& params, const std::string& name, int C, int K) : params_(params), name_(name)
{
    weight_ = params.declare(name + ".weight", {K, C}, glorot(C, K));
    bias_ = params.declare(name + ".bias", {K}, {});
}

Var Dense::operator()(Tape& tape, const Var& x, kernels::Activation act) const
{
    const Tape::Scope scope(tape, name_);
    return dense(tape, x, params_.var(tape, weight_), params_.var(tape, bias_), act);
}

Downscale::Downscale(Parameters& params, const std::string& name, const Architecture& arch, int C, int K)
    : arch_(arch), conv_(params, name, C, K, 5, arch.downsample == Downsample::strided ? 2 : 1)
{
}

Var Downscale::operator()(Tape& tape, const Var& x) const
{
    const Var y = conv_(tape, x, {.act = arch_.act(0.1f)});
    return arch_.downsample == Downsample::strided ? y : max_pool(tape, y, 2, 2);
}

Upscale::Upscale(Parameters& params, const std::string& name, const Architecture& arch, int C, int K) : arch_(arch)
{
    if (arch.upsample == Upsample::transposed)
        transpose_ = std::make_unique<ConvTranspose>(params, name, C, K, 4, 2);
    else
        conv_ = std::make_unique<Conv>(params, name, C, arch.upsample == Upsample::subpixel ? 4 * K : K, 3);
}

Var Upscale::operator()(Tape& tape, const Var& x) const
{
    const kernels::Activation act = arch_.act(0.1f);
    if (transpose_) return (*transpose_)(tape, x, act);
    if (arch_.upsample == Upsample::nearest) return (*conv_)(tape, upsample_nearest(tape, x, 2), {.act = act});
    return (*conv_)(tape, x, {.act = act, .shuffle = 2});
}

ResidualBlock::ResidualBlock(Parameters& params, const std::string& name, const Architecture& arch, int C)
    : arch_(arch), conv1_(params, name + ".conv1", C, C, 3), conv2_(params, name + ".conv2", C, C, 3)
{
}

Var ResidualBlock::operator()(Tape& tape, const Var& x) const
{
    const kernels::Activation act = arch_.act(0.2f);
    return conv2_(tape, conv1_(tape, x, {.act = act}), {.act = act, .add = x});
}

} // namespace bifrons::model
