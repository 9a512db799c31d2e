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

std::int64_t pixels_of(const Network& network, std::int64_t batch)
{
    return batch * network.resolution * network.resolution;
}

/// Two pictures, a mask, and an upstream gradient that gives means over the pictures slopes of order 1.
std::vector<Input> operands(const Network& network, std::int64_t batch)
{
    const std::int64_t pixels = pixels_of(network, batch);
    return {uniform(3 * pixels, 1), uniform(3 * pixels, 2), uniform(pixels, 3, true), {.values = {float(3 * pixels)}}};
}

/// A discriminator's answers, one a pixel, and such an upstream gradient.
std::vector<Input> answers(const Network& network, std::int64_t batch)
{
    const std::int64_t n = pixels_of(network, batch);
    return {{.values = Bench::normal_values(n, DType::f32, 1)}, {.values = {float(n)}}};
}

OpCase mse(const Network& network, std::int64_t batch)
{
    const kernels::MseShape s{pixels_of(network, batch), 3};
    return {.in = operands(network, batch),
            .out = {{1, DType::f32}},
            .run = [=](Exec ex, const Views& in,
                       const Views& out) { kernels::mse_fwd(ex, s, in[0], in[1], in[2], kScale, out[0]); },
            .error = kSumError};
}

OpCase mse_grad(const Network& network, std::int64_t batch)
{
    const kernels::MseShape s{pixels_of(network, batch), 3};
    return {
        .in = operands(network, batch),
        .out = {{s.rows * s.C, DType::f32}},
        .run = [=](Exec ex, const Views& in,
                   const Views& out) { kernels::mse_grad(ex, s, in[0], in[1], in[2], kScale, in[3], {.out = out[0]}); },
        .error = kSumError};
}

OpCase l1(const Network& network, std::int64_t batch)
{
    const kernels::L1Shape s{pixels_of(network, batch), 3};
    return {.in = operands(network, batch),
            .out = {{1, DType::f32}},
            .run = [=](Exec ex, const Views& in,
                       const Views& out) { kernels::l1_fwd(ex, s, in[0], in[1], in[2], kScale, out[0]); },
            .error = kSumError};
}

OpCase l1_grad(const Network& network, std::int64_t batch)
{
    const kernels::L1Shape s{pixels_of(network, batch), 3};
    return {
        .in = operands(network, batch),
        .out = {{s.rows * s.C, DType::f32}},
        .run = [=](Exec ex, const Views& in,
                   const Views& out) { kernels::l1_grad(ex, s, in[0], in[1], in[2], kScale, in[3], {.out = out[0]}); },
        .error = kSumError};
}

OpCase bce(const Network& network, std::int64_t batch)
{
    const kernels::BceShape s{pixels_of(network, batch), 1};
    return {.in = answers(network, batch),
            .out = {{1, DType::f32}},
            .run = [=](Exec ex, const Views& in,
                       const Views& out) { kernels::bce_fwd(ex, s, in[0], {}, {}, kScale, out[0]); },
            .error = kSumError};
}

OpCase bce_grad(const Network& network, std::int64_t batch)
{
    const kernels::BceShape s{pixels_of(network, batch), 1};
    return {.in = answers(network, batch),
            .out = {{s.rows, DType::f32}},
            .run = [=](Exec ex, const Views& in,
                       const Views& out) { kernels::bce_grad(ex, s, in[0], {}, {}, kScale, in[1], {.out = out[0]}); },
            .error = kSumError};
}

OpCase adversarial(const Network& network, std::int64_t batch)
{
    const kernels::AdversarialShape s{.n = pixels_of(network, batch)};
    return {.in = answers(network, batch),
            .out = {{1, DType::f32}},
            .run = [=](Exec ex, const Views& in,
                       const Views& out) { kernels::adversarial_fwd(ex, s, in[0], kScale, out[0]); },
            .error = kSumError};
}

OpCase adversarial_grad(const Network& network, std::int64_t batch)
{
    const kernels::AdversarialShape s{.n = pixels_of(network, batch)};
    return {.in = answers(network, batch),
            .out = {{s.n, DType::f32}},
            .run = [=](Exec ex, const Views& in,
                       const Views& out) { kernels::adversarial_grad(ex, s, in[0], kScale, in[1], {.out = out[0]}); },
            .error = kSumError};
}

OpCase total_variation(const Network& network, std::int64_t batch)
{
    const kernels::TotalVariationShape s{batch, network.resolution, network.resolution, 3};
    return {.in = {uniform(s.size(), 1)},
            .out = {{1, DType::f32}},
            .run = [=](Exec ex, const Views& in,
                       const Views& out) { kernels::total_variation_fwd(ex, s, in[0], kScale, out[0]); },
            .error = kSumError};
}

OpCase total_variation_grad(const Network& network, std::int64_t batch)
{
    const kernels::TotalVariationShape s{batch, network.resolution, network.resolution, 3};
    return {
        .in = {uniform(s.size(), 1), {.values = {float(batch)}}},
        .out = {{s.size(), DType::f32}},
        .run = [=](Exec ex, const Views& in,
                   const Views& out) { kernels::total_variation_grad(ex, s, in[0], kScale, in[1], {.out = out[0]}); },
        .error = kSumError};
}

/// Value and gradient, as a training step runs them.
OpCase style(const Network& network, std::int64_t batch)
{
    const kernels::StyleShape s{batch, network.resolution * network.resolution, 3};
    return {.in = operands(network, batch),
            .out = {{1, DType::f32}, {s.size(), DType::f32}, {.n = s.N * s.C * 4, .dtype = DType::f32}},
            .run =
                [=](Exec ex, const Views& in, const Views& out) {
                    kernels::style_fwd(ex, s, in[0], in[1], kScale, out[0], out[2]);
                    kernels::style_grad(ex, s, in[0], out[2], kScale, in[3], {.out = out[1]});
                },
            .error = kSumError};
}

/// What comes before it: a Gaussian of an eighth of the side.
OpCase style_blur(const Network& network, std::int64_t batch)
{
    const int sigma = int(network.resolution / 8);
    const kernels::BlurShape s{.H = network.resolution,
                               .W = network.resolution,
                               .C = 3,
                               .sigma = float(sigma),
                               .N = batch,
                               .reach = 2 * sigma};
    return {.in = {uniform(s.size(), 1)},
            .out = {{s.size(), DType::f32}},
            .run = [=](Exec ex, const Views& in, const Views& out) { kernels::gaussian_blur(ex, s, in[0], out[0]); },
            .error = kSumError};
}

OpCase mask_pixels(const Network& network, std::int64_t batch)
{
    const kernels::MaskShape s{pixels_of(network, batch), 3};
    return {.in = operands(network, batch),
            .out = {{s.rows * s.C, DType::f32}},
            .run = [=](Exec ex, const Views& in, const Views& out) {
                kernels::mask_pixels(ex, s, in[0], in[2], {.out = out[0]});
            }};
}

/// Of a dozen terms: what a launch takes.
OpCase total(const Network&, std::int64_t)
{
    constexpr int kTerms = 12;
    return {.in = std::vector<Input>(kTerms, {.values = {0.5f}}),
            .out = {{1, DType::f32}},
            .run = [=](Exec ex, const Views& in, const Views& out) {
                kernels::LossTerms terms;
                for (const View& term : in) terms.add(term, kScale);
                kernels::weighted_sum(ex, terms, out[0]);
            }};
}

kernels::DssimShape dssim_shape(const Network& network, std::int64_t batch)
{
    constexpr double kWindows = 11.6; // of the model's objective: resolution / 11.6
    return {batch, network.resolution, network.resolution, 3, int(double(network.resolution) / kWindows)};
}

OpCase dssim(const Network& network, std::int64_t batch)
{
    const auto s = dssim_shape(network, batch);
    return {.in = operands(network, batch),
            .out = {{1, DType::f32}},
            .run = [=](Exec ex, const Views& in,
                       const Views& out) { kernels::dssim_fwd(ex, s, in[0], in[1], in[2], kScale, out[0], {}); },
            .error = kDssimError};
}

/// Value and gradient, as a training step runs them.
OpCase dssim_both(const Network& network, std::int64_t batch)
{
    const auto s = dssim_shape(network, batch);
    return {.in = operands(network, batch),
            .out = {{1, DType::f32},
                    {s.N * s.H * s.W * s.C, DType::f32},
                    {.n = 3 * s.windows(), .dtype = DType::f32, .scratch = true}},
            .run =
                [=](Exec ex, const Views& in, const Views& out) {
                    kernels::dssim_fwd(ex, s, in[0], in[1], in[2], kScale, out[0], out[2]);
                    kernels::dssim_grad(ex, s, in[0], in[1], in[2], kScale, out[2], in[3], {.out = out[1]});
                },
            .error = kDssimError};
}

OpCase soft_mask(const Network& network, std::int64_t batch)
{
    const kernels::SoftMaskShape s{batch, network.resolution, network.resolution,
                                   std::max(1.0f, float(network.resolution / 32))};
    return {.in = {uniform(s.size(), 1, true)},
            .out = {{s.size(), DType::f32}},
            .run = [=](Exec ex, const Views& in, const Views& out) { kernels::soft_mask(ex, s, in[0], out[0]); },
            .error = kSumError};
}

struct Row {
    const char* name;
    OpCase (*make)(const Network&, std::int64_t batch);
    bool always; ///< in every training
};
constexpr Row kRows[] = {
    {"mse_fwd", mse, true},
    {"mse_grad", mse_grad, true},
    {"dssim_fwd", dssim, true},
    {"dssim", dssim_both, true},
    {"soft_mask", soft_mask, true},
    {"l1_fwd", l1, false},
    {"l1_grad", l1_grad, false},
    {"bce_fwd", bce, false},
    {"bce_grad", bce_grad, false},
    {"adversarial_fwd", adversarial, false},
    {"adversarial_grad", adversarial_grad, false},
    {"total_variation_fwd", total_variation, false},
    {"total_variation_grad", total_variation_grad, false},
    {"style", style, false},
    {"gaussian_blur", style_blur, false},
    {"mask_pixels", mask_pixels, false},
    {"weighted_sum", total, false},
};

} // namespace

void add_losses(const Grid& grid, Cases& cases)
{
    for (const Network& network : grid.networks)
        for (const std::int64_t batch : grid.batches)
            for (const Row& row : kRows)
                if (row.always || !passes_over(grid, network))
                    cases.push_back({row.name, "one identity", network, batch, "", "f32",
                                     [=](Bench& bench) { return op_work(bench, row.make(network, batch)); }});
}

} // namespace bifrons::bench
