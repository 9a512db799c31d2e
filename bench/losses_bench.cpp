// bench/losses_bench.cpp - the losses of one identity, value and gradient, under a mask.
#include "bench/op.h"
#include "kernels/augment/soft_mask.h"
#include "kernels/losses/dssim.h"
#include "kernels/losses/mse.h"

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

std::vector<Input> operands(const Network& network, std::int64_t batch)
{
    const std::int64_t pixels = batch * network.resolution * network.resolution;
    return {uniform(3 * pixels, 1), uniform(3 * pixels, 2), uniform(pixels, 3, true), {.values = {1.0f}}};
}

OpCase mse(const Network& network, std::int64_t batch)
{
    const kernels::MseShape s{batch * network.resolution * network.resolution, 3};
    return {.in = operands(network, batch),
            .out = {{1, DType::f32}},
            .run = [=](Exec ex, const Views& in,
                       const Views& out) { kernels::mse_fwd(ex, s, in[0], in[1], in[2], kScale, out[0]); },
            .error = kSumError};
}

OpCase mse_grad(const Network& network, std::int64_t batch)
{
    const kernels::MseShape s{batch * network.resolution * network.resolution, 3};
    return {
        .in = operands(network, batch),
        .out = {{s.rows * s.C, DType::f32}},
        .run = [=](Exec ex, const Views& in,
                   const Views& out) { kernels::mse_grad(ex, s, in[0], in[1], in[2], kScale, in[3], {.out = out[0]}); },
        .error = kSumError};
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
};
constexpr Row kRows[] = {
    {"mse_fwd", mse}, {"mse_grad", mse_grad}, {"dssim_fwd", dssim}, {"dssim", dssim_both}, {"soft_mask", soft_mask},
};

} // namespace

void add_losses(const Grid& grid, Cases& cases)
{
    for (const Network& network : grid.networks)
        for (const std::int64_t batch : grid.batches)
            for (const Row& row : kRows)
                cases.push_back({row.name, "one identity", network, batch, "", "f32",
                                 [=](Bench& bench) { return op_work(bench, row.make(network, batch)); }});
}

} // namespace bifrons::bench
