#include "model/decoder.h"

namespace bifrons::model {

Decoder::Decoder(Parameters& params, const std::string& name, const Architecture& arch) : arch_(arch)
{
    const auto widths = [&](int base) {
        return arch.t ? std::vector<int>{8 * base, 8 * base, 4 * base, 2 * base}
                      : std::vector<int>{8 * base, 4 * base, 2 * base};
    };
    int channels = arch.decoder_channels();
    for (const int width : widths(arch.d_dims)) {
        ups_.emplace_back(params, str(name, ".up", ups_.size()), arch, channels, width);
        residuals_.emplace_back(params, str(name, ".res", residuals_.size()), arch, width);
        channels = width;
    }
    head_ = std::make_unique<Conv>(params, name + ".out", channels, 3, 1);
    if (arch.d) head3_ = std::make_unique<Conv>(params, name + ".out3", channels, 9, 3, 1, 3);

    std::vector<int> mask_widths = widths(arch.d_mask_dims);
    if (arch.d) mask_widths.push_back(arch.d_mask_dims);
    channels = arch.decoder_channels();
    for (const int width : mask_widths) {
        mask_ups_.emplace_back(params, str(name, ".mask_up", mask_ups_.size()), arch, channels, width);
        channels = width;
    }
    mask_head_ = std::make_unique<Conv>(params, name + ".mask_out", channels, 1, 1);
}

Var Decoder::face(Tape& tape, const Var& latent) const
{
    const kernels::Activation sigmoid{kernels::Act::sigmoid};
    Var x = latent;
    for (std::size_t i = 0; i < ups_.size(); ++i) x = residuals_[i](tape, ups_[i](tape, x));
    if (!arch_.d) return (*head_)(tape, x, {.act = sigmoid, .f32_result = true});
    const Var phases =
        concat_channels(tape, (*head_)(tape, x, {.f32_result = true}), (*head3_)(tape, x, {.f32_result = true}));
    return pointwise(tape, phases, {.act = sigmoid, .shuffle = 2});
}

Var Decoder::mask(Tape& tape, const Var& latent) const
{
    Var x = latent;
    for (const Upscale& up : mask_ups_) x = up(tape, x);
    return (*mask_head_)(tape, x, {.act = {kernels::Act::sigmoid}, .f32_result = true});
}

Decoder::Output Decoder::operator()(Tape& tape, const Var& latent) const
{
    return {face(tape, latent), mask(tape, latent)};
}

} // namespace bifrons::model
