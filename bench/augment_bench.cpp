// bench/augment_bench.cpp - drawing the batch of one identity from its faces: flip, affine, warp, colour; the colours
// of other faces before it, a blur outside of the face behind it.
#include "bench/op.h"
#include "kernels/augment/augment.h"
#include "kernels/augment/blur_outside.h"
#include "kernels/augment/recolor.h"

#include <cstring>
#include <random>

namespace bifrons::bench {

namespace {

using Views = OpCase::Views;
constexpr std::int64_t kFaces = 64;

/// Smooth with noise: positions in f32 differ by a little between devices, and pictures must not magnify that.
std::vector<std::uint8_t> pictures(std::int64_t side, std::uint32_t seed)
{
    std::mt19937 random(seed);
    std::vector<std::uint8_t> images(std::size_t(kFaces * side * side * 3));
    for (std::size_t i = 0; i < images.size(); ++i)
        images[i] = std::uint8_t(40 + std::size_t(i / 3 % std::size_t(side)) * 160 / std::size_t(side) + random() % 8);
    return images;
}

std::vector<std::uint8_t> state_bytes()
{
    const kernels::StepState state{.seed = 1, .step = 3};
    std::vector<std::uint8_t> bytes(sizeof state);
    std::memcpy(bytes.data(), &state, sizeof state);
    return bytes;
}

OpCase augment(const Network& network, std::int64_t batch)
{
    const std::int64_t margin = network.resolution / 8, side = network.resolution + 2 * margin;
    std::vector<std::uint8_t> masks(std::size_t(kFaces * side * side));
    for (std::size_t i = 0; i < masks.size(); ++i)
        masks[i] = std::uint8_t(i % std::size_t(side) * 255 / std::size_t(side));
    const kernels::BatchShape s{.N = batch, .side = network.resolution};
    const std::int64_t pixels = batch * s.side * s.side;
    return {.in = {{.bytes = pictures(side, 1)}, {.bytes = masks}, {.bytes = state_bytes()}},
            .out = {{3 * pixels, DType::f32}, {3 * pixels, DType::f32}, {pixels, DType::f32}},
            .run =
                [=](Exec ex, const Views& in, const Views& out) {
                    const kernels::Faces faces{kFaces, side, margin, in[0], in[1]};
                    kernels::run(ex, kernels::Augment{s,
                                                      {.hue_deg = 10, .saturation = 0.1f, .value = 0.1f},
                                                      faces,
                                                      static_cast<const kernels::StepState*>(in[2].data),
                                                      {out[0], out[1], out[2]}});
                },
            .error = 64 * 0x1p-24 * double(side)}; // augment.h
}

OpCase recolor(const Network& network, std::int64_t batch, kernels::ColorMatch kind)
{
    const std::int64_t margin = network.resolution / 8, side = network.resolution + 2 * margin;
    const kernels::BatchShape s{.N = batch, .side = network.resolution};
    return {
        .in = {{.bytes = pictures(side, 1)}, {.bytes = pictures(side, 2)}, {.bytes = state_bytes()}},
        .out = {{batch * side * side * 3, DType::u8}},
        .run =
            [=](Exec ex, const Views& in, const Views& out) {
                const kernels::Faces faces{kFaces, side, margin, in[0], {}}, others{kFaces, side, margin, in[1], {}};
                kernels::run(ex, kernels::Recolor{s, kind, faces, others,
                                                  static_cast<const kernels::StepState*>(in[2].data), out[0]});
            },
        .error = 1.0 / 40}; // a level, of pictures above 40
}

OpCase blur_outside(const Network& network, std::int64_t batch)
{
    const kernels::BlurOutsideShape s{batch, network.resolution, network.resolution, float(network.resolution) / 128};
    std::mt19937 random(1);
    std::vector<float> mask(std::size_t(s.pixels()), 0.0f), picture(std::size_t(3 * s.pixels()), 0.0f);
    for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = i % std::size_t(s.W) < std::size_t(s.W / 2) ? 1.0f : 0.0f;
    for (float& v : picture) v = float(random() >> 8) / 16777216.0f;
    return {.in = {{.values = mask}},
            .out = {{3 * s.pixels(), DType::f32, picture}},
            .run =
                [=](Exec ex, const Views& in, const Views& out) {
                    kernels::run(ex, kernels::BlurOutside{s, in[0], out[0]});
                },
            .error = 1e-5};
}

} // namespace

void add_augment(const Grid& grid, Cases& cases)
{
    using kernels::ColorMatch;
    for (const Network& network : grid.networks)
        for (const std::int64_t batch : grid.batches) {
            const auto add = [&](const char* family, const char* what, const std::function<OpCase()>& make) {
                cases.push_back(
                    {family, what, network, batch, "", "f32", [=](Bench& bench) { return op_work(bench, make()); }});
            };
            add("augment", "one identity", [=] { return augment(network, batch); });
            if (passes_over(grid, network)) continue;
            add("blur_outside", "both identities", [=] { return blur_outside(network, 2 * batch); });
            for (const auto& [name, kind] : {std::pair{"rct", ColorMatch::rct},
                                             {"lct", ColorMatch::lct},
                                             {"mkl", ColorMatch::mkl},
                                             {"idt", ColorMatch::idt},
                                             {"sot", ColorMatch::sot}})
                if (!grid.options.quick || kind == ColorMatch::rct || kind == ColorMatch::sot)
                    add("recolor", name, [=, kind = kind] { return recolor(network, batch, kind); });
        }
}

} // namespace bifrons::bench
