// bench/augment_bench.cpp - drawing the batch of one identity from its faces: flip, affine, warp, colour.
#include "bench/op.h"
#include "kernels/augment/augment.h"

#include <cstring>
#include <random>

namespace bifrons::bench {

namespace {

using Views = OpCase::Views;
constexpr std::int64_t kFaces = 64;

OpCase augment(const Network& network, std::int64_t batch)
{
    const std::int64_t margin = network.resolution / 8, side = network.resolution + 2 * margin;
    std::mt19937 random(1);
    std::vector<std::uint8_t> images(std::size_t(kFaces * side * side * 3)), masks(std::size_t(kFaces * side * side));
    // Smooth with noise: positions in f32 differ by a little between devices, and pictures must not magnify that.
    for (std::size_t i = 0; i < images.size(); ++i)
        images[i] = std::uint8_t(std::size_t(i / 3 % std::size_t(side)) * 200 / std::size_t(side) + random() % 8);
    for (std::size_t i = 0; i < masks.size(); ++i)
        masks[i] = std::uint8_t(i % std::size_t(side) * 255 / std::size_t(side));
    const kernels::StepState state{.seed = 1, .step = 3};
    std::vector<std::uint8_t> state_bytes(sizeof state);
    std::memcpy(state_bytes.data(), &state, sizeof state);

    const kernels::BatchShape s{.N = batch, .side = network.resolution};
    const std::int64_t pixels = batch * s.side * s.side;
    return {.in = {{.bytes = images}, {.bytes = masks}, {.bytes = state_bytes}},
            .out = {{3 * pixels, DType::f32}, {3 * pixels, DType::f32}, {pixels, DType::f32}},
            .run =
                [=](Exec ex, const Views& in, const Views& out) {
                    const kernels::Faces faces{kFaces, side, margin, in[0], in[1]};
                    kernels::augment(ex, s, {.hue_deg = 10, .saturation = 0.1f, .value = 0.1f}, faces,
                                     static_cast<const kernels::StepState*>(in[2].data), {out[0], out[1], out[2]});
                },
            .error = 64 * 0x1p-24 * double(side)}; // augment.h
}

} // namespace

void add_augment(const Grid& grid, Cases& cases)
{
    for (const Network& network : grid.networks)
        for (const std::int64_t batch : grid.batches)
            cases.push_back({"augment", "one identity", network, batch, "", "f32",
                             [=](Bench& bench) { return op_work(bench, augment(network, batch)); }});
}

} // namespace bifrons::bench
