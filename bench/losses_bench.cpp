// bench/losses_bench.cpp - the losses of one identity, value and gradient, under a mask; of a patch discriminator's
// answers, one a pixel; and their sum.
#include "bench/op.h"
#include "kernels/augment/soft_mask.h"
#include "kernels/color/gaussian_blur.h"
#include "kernels/losses/adversarial.h"
#include "kernels/losses/bce.h"
#include "kernels/losses/dssim.h"
#include "kernels/losses/l1.h"
#include "kernels/losses/mse.h"
#include "kernels/losses/style.h"
#include "kernels/losses/total.h"
#include "kernels/losses/total_variation.h"
#include "kernels/pointwise/mask_pixels.h"

#include <algorithm>
#include <random>

namespace bifrons::bench {

namespace {

using Views = OpCase::Views;

// Sums of up to 2^23 terms in a fixed order, and quotients of nearly equal numbers in DSSIM.
constexpr double kSumError = 1e-4, kDssimError = 1e-3;
constexpr float kScale = 10;

/// Pictures: numbers in 0..1.
Input uniform(std::int64_t n, std::uint32_t seed, bool whole = false)
{
    std::mt19937 random(seed);
    std::vector<float> values(std::size_t(n), 0.0f);
    for (float& v : values) {
        v = float(random() >> 8) / 16777216.0f;
        if (whole) v = v < 0.5f ? 0.0f : 1.0f;
    }
    return {.values = std::move(values)};
}

/// Two pictures, a mask, and an upstream gradient that gives means over the pictures slopes of order 1.
std::vector<Input> operands(const Place& p)
{
    const std::int64_t pixels = p.pixels();
    return {uniform(3 * pixels, 1), uniform(3 * pixels, 2), uniform(pixels, 3, true), {.values = {float(3 * pixels)}}};
}

/// A discriminator's answers, one a pixel, and such an upstream gradient.
std::vector<Input> answers(const Place& p)
{
    const std::int64_t n = p.pixels();
    return {{.values = Bench::normal_values(n, DType::f32, 1)}, {.values = {float(n)}}};
}

/// mse and l1 take the same operands.
template <class Fwd>
OpCase mean(const Place& p)
{
    const kernels::PicturePair s{p.pixels(), 3};
    return {.in = operands(p),
            .out = {{1, DType::f32}},
            .run =
                [=](Exec ex, const Views& in, const Views& out) {
                    kernels::run(ex, Fwd{s, in[0], in[1], in[2], kScale, out[0]});
                },
            .error = kSumError};
}

template <class Grad>
OpCase mean_grad(const Place& p)
{
    const kernels::PicturePair s{p.pixels(), 3};
    return {.in = operands(p),
            .out = {{s.rows * s.C, DType::f32}},
            .run =
                [=](Exec ex, const Views& in, const Views& out) {
                    kernels::run(ex, Grad{s, in[0], in[1], in[2], kScale, in[3], {.out = out[0]}});
                },
            .error = kSumError};
}

OpCase bce(const Place& p)
{
    const kernels::BceShape s{p.pixels(), 1};
    return {.in = answers(p),
            .out = {{1, DType::f32}},
            .run =
                [=](Exec ex, const Views& in, const Views& out) {
                    kernels::run(ex, kernels::BceFwd{s, in[0], {}, {}, kScale, out[0]});
                },
            .error = kSumError};
}

OpCase bce_grad(const Place& p)
{
    const kernels::BceShape s{p.pixels(), 1};
    return {.in = answers(p),
            .out = {{s.rows, DType::f32}},
            .run =
                [=](Exec ex, const Views& in, const Views& out) {
                    kernels::run(ex, kernels::BceGrad{s, in[0], {}, {}, kScale, in[1], {.out = out[0]}});
                },
            .error = kSumError};
}

OpCase adversarial(const Place& p)
{
    const kernels::AdversarialShape s{.n = p.pixels()};
    return {.in = answers(p),
            .out = {{1, DType::f32}},
            .run =
                [=](Exec ex, const Views& in, const Views& out) {
                    kernels::run(ex, kernels::AdversarialFwd{s, in[0], kScale, out[0]});
                },
            .error = kSumError};
}

OpCase adversarial_grad(const Place& p)
{
    const kernels::AdversarialShape s{.n = p.pixels()};
    return {.in = answers(p),
            .out = {{s.n, DType::f32}},
            .run =
                [=](Exec ex, const Views& in, const Views& out) {
                    kernels::run(ex, kernels::AdversarialGrad{s, in[0], kScale, in[1], {.out = out[0]}});
                },
            .error = kSumError};
}

OpCase total_variation(const Place& p)
{
    const kernels::TotalVariationShape s{p.batch, p.network.resolution, p.network.resolution, 3};
    return {.in = {uniform(s.size(), 1)},
            .out = {{1, DType::f32}},
            .run =
                [=](Exec ex, const Views& in, const Views& out) {
                    kernels::run(ex, kernels::TotalVariationFwd{s, in[0], kScale, out[0]});
                },
            .error = kSumError};
}

OpCase total_variation_grad(const Place& p)
{
    const kernels::TotalVariationShape s{p.batch, p.network.resolution, p.network.resolution, 3};
    return {.in = {uniform(s.size(), 1), {.values = {float(p.batch)}}},
            .out = {{s.size(), DType::f32}},
            .run =
                [=](Exec ex, const Views& in, const Views& out) {
                    kernels::run(ex, kernels::TotalVariationGrad{s, in[0], kScale, in[1], {.out = out[0]}});
                },
            .error = kSumError};
}

/// Value and gradient, as a training step runs them.
OpCase style(const Place& p)
{
    const kernels::StyleShape s{p.batch, p.network.resolution * p.network.resolution, 3};
    return {.in = operands(p),
            .out = {{1, DType::f32}, {s.size(), DType::f32}, {.n = s.N * s.C * 4, .dtype = DType::f32}},
            .run =
                [=](Exec ex, const Views& in, const Views& out) {
                    kernels::run(ex, kernels::StyleFwd{s, in[0], in[1], kScale, out[0], out[2]});
                    kernels::run(ex, kernels::StyleGrad{s, in[0], out[2], kScale, in[3], {.out = out[1]}});
                },
            .error = kSumError};
}

/// What comes before it: a Gaussian of an eighth of the side.
OpCase style_blur(const Place& p)
{
    const int sigma = int(p.network.resolution / 8);
    const kernels::BlurShape s{.H = p.network.resolution,
                               .W = p.network.resolution,
                               .C = 3,
                               .sigma = float(sigma),
                               .N = p.batch,
                               .reach = 2 * sigma};
    return {.in = {uniform(s.size(), 1)},
            .out = {{s.size(), DType::f32}},
            .run =
                [=](Exec ex, const Views& in, const Views& out) {
                    kernels::run(ex, kernels::GaussianBlur{s, in[0], out[0]});
                },
            .error = kSumError};
}

OpCase mask_pixels(const Place& p)
{
    const kernels::MaskShape s{p.pixels(), 3};
    return {
        .in = operands(p), .out = {{s.rows * s.C, DType::f32}}, .run = [=](Exec ex, const Views& in, const Views& out) {
            kernels::run(ex, kernels::MaskPixels{s, in[0], in[2], {.out = out[0]}});
        }};
}

/// Of a dozen terms: what a launch takes.
OpCase total(const Place&)
{
    constexpr int kTerms = 12;
    return {.in = std::vector<Input>(kTerms, {.values = {0.5f}}),
            .out = {{1, DType::f32}},
            .run = [=](Exec ex, const Views& in, const Views& out) {
                kernels::LossTerms terms;
                for (const View& term : in) terms.add(term, kScale);
                kernels::run(ex, kernels::WeightedSum{terms, out[0]});
            }};
}

kernels::DssimShape dssim_shape(const Place& p)
{
    constexpr double kWindows = 11.6; // of the model's objective: resolution / 11.6
    return {p.batch, p.network.resolution, p.network.resolution, 3, int(double(p.network.resolution) / kWindows)};
}

OpCase dssim(const Place& p)
{
    const auto s = dssim_shape(p);
    return {.in = operands(p),
            .out = {{1, DType::f32}},
            .run =
                [=](Exec ex, const Views& in, const Views& out) {
                    kernels::run(ex, kernels::DssimFwd{s, in[0], in[1], in[2], kScale, out[0], {}});
                },
            .error = kDssimError};
}

/// Value and gradient, as a training step runs them.
OpCase dssim_both(const Place& p)
{
    const auto s = dssim_shape(p);
    return {
        .in = operands(p),
        .out = {{1, DType::f32},
                {s.N * s.H * s.W * s.C, DType::f32},
                {.n = 3 * s.windows(), .dtype = DType::f32, .scratch = true}},
        .run =
            [=](Exec ex, const Views& in, const Views& out) {
                kernels::run(ex, kernels::DssimFwd{s, in[0], in[1], in[2], kScale, out[0], out[2]});
                kernels::run(ex, kernels::DssimGrad{s, in[0], in[1], in[2], kScale, out[2], in[3], {.out = out[1]}});
            },
        .error = kDssimError};
}

OpCase soft_mask(const Place& p)
{
    const kernels::SoftMaskShape s{p.batch, p.network.resolution, p.network.resolution,
                                   std::max(1.0f, float(p.network.resolution / 32))};
    return {.in = {uniform(s.size(), 1, true)},
            .out = {{s.size(), DType::f32}},
            .run =
                [=](Exec ex, const Views& in, const Views& out) {
                    kernels::run(ex, kernels::SoftMask{s, in[0], out[0]});
                },
            .error = kSumError};
}

} // namespace

void add_losses(const Grid& grid, Cases& cases)
{
    add_f32_ops(grid,
                {
                    {"mse_fwd", "one identity", mean<kernels::MseFwd>, true},
                    {"mse_grad", "one identity", mean_grad<kernels::MseGrad>, true},
                    {"dssim_fwd", "one identity", dssim, true},
                    {"dssim", "one identity", dssim_both, true},
                    {"soft_mask", "one identity", soft_mask, true},
                    {"l1_fwd", "one identity", mean<kernels::L1Fwd>, false},
                    {"l1_grad", "one identity", mean_grad<kernels::L1Grad>, false},
                    {"bce_fwd", "one identity", bce, false},
                    {"bce_grad", "one identity", bce_grad, false},
                    {"adversarial_fwd", "one identity", adversarial, false},
                    {"adversarial_grad", "one identity", adversarial_grad, false},
                    {"total_variation_fwd", "one identity", total_variation, false},
                    {"total_variation_grad", "one identity", total_variation_grad, false},
                    {"style", "one identity", style, false},
                    {"gaussian_blur", "one identity", style_blur, false},
                    {"mask_pixels", "one identity", mask_pixels, false},
                    {"weighted_sum", "one identity", total, false},
                },
                cases);
}

} // namespace bifrons::bench
