#include "model/style.h"

namespace bifrons::model {

namespace {

/// DeepFaceLab's Gaussian: a window of max(3, 4 sigma) px, made odd.
Var blur(Tape& tape, const Var& x, int sigma)
{
    return gaussian_blur(tape, x, float(sigma), std::max(3, 4 * sigma) / 2);
}

Term face_style(Tape& tape, float power, const Decoder::Output& swap, const Decoder::Output& dst)
{
    const int sigma = int(swap.face.shape()[1] / 8);
    const Var ours = blur(tape, mask_pixels(tape, swap.face, swap.mask.value()), sigma),
              theirs = blur(tape, mask_pixels(tape, Var(dst.face.value()), dst.mask.value()), sigma);
    return {"swap_style", style(tape, ours, theirs.value(), 100 * power)};
}

Term background_style(Tape& tape, float power, const Decoder::Output& swap, const Decoder::Output& dst,
                      const Tensor& target)
{
    const int R = int(target.shape()[1]);
    const Var both = mask_pixels(tape, Var(swap.mask.value()), dst.mask.value());
    const Tensor region = blur(tape, both, std::max(1, R / 32)).value();
    const auto outside = [&](const Var& x) { return mask_pixels(tape, x, region, kernels::MaskSide::outside); };
    const Var ours = outside(swap.face), theirs = outside(Var(target));
    const float scale = 10 * power / 100;
    return {"swap_bg_style", total(tape,
                                   {dssim(tape, ours, theirs.value(), {}, int(R / 11.6), scale),
                                    mse(tape, ours, theirs.value(), {}, scale)},
                                   {1, 1})};
}

} // namespace

std::vector<std::string> style_names(const StyleWeights& weights)
{
    std::vector<std::string> names;
    if (weights.face > 0) names.push_back("swap_style");
    if (weights.background > 0) names.push_back("swap_bg_style");
    return names;
}

std::vector<Term> style_terms(Tape& tape, const StyleWeights& weights, const Autoencoder& net,
                              const Autoencoder::Reconstructions& out, const Tensor& target)
{
    if (!weights) return {};
    const Tape::Scope scope(tape, "style");
    const auto swap = [&](Autoencoder::Reach reach) { return net.swap(tape, out, reach); };
    std::vector<Term> terms;
    if (weights.face > 0) terms.push_back(face_style(tape, weights.face, swap(Autoencoder::Reach::decoder), out.dst));
    if (weights.background > 0)
        terms.push_back(background_style(tape, weights.background, swap(Autoencoder::Reach::encoder), out.dst, target));
    return terms;
}

} // namespace bifrons::model
