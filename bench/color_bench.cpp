// bench/color_bench.cpp - fitting colours and light of a merged face, at the sizes of faces in a frame.
#include "bench/op.h"
#include "kernels/color/color.h"

#include <random>

namespace bifrons::bench {

namespace {

using Views = OpCase::Views;

Input uniform(std::int64_t n, std::uint32_t seed, float low)
{
    std::mt19937 random(seed);
    std::vector<float> values(std::size_t(n), 0.0f);
    for (float& v : values) v = low + (1 - low) * float(random() >> 8) / 16777216.0f;
    return {.values = std::move(values)};
}

std::vector<Input> operands(std::int64_t side)
{
    return {uniform(3 * side * side, 1, 0), uniform(3 * side * side, 2, 0.2f), uniform(side * side, 3, 0)};
}

OpCase transfer(std::int64_t side)
{
    const std::int64_t n = side * side;
    return {.in = operands(side),
            .out = {{3 * n, DType::f32}},
            .run = [=](Exec ex, const Views& in,
                       const Views& out) { kernels::color_transfer(ex, n, in[0], in[1], in[2], 0.8f, out[0]); },
            .error = 1e-4};
}

OpCase light(std::int64_t side)
{
    const kernels::LightShape s{side, side, float(side) / 16};
    return {.in = operands(side),
            .out = {{3 * s.pixels(), DType::f32}},
            .run = [=](Exec ex, const Views& in,
                       const Views& out) { kernels::light_transfer(ex, s, in[0], in[1], in[2], 0.8f, out[0]); },
            .error = 1e-4};
}

} // namespace

void add_color(const Grid& grid, Cases& cases)
{
    for (const std::int64_t side : {256, 512, 1024}) {
        if (grid.options.quick && side != 512) continue;
        const std::string what = str(side, "x", side);
        cases.push_back(
            {"color_transfer", what, {}, 0, "", "f32", [=](Bench& bench) { return op_work(bench, transfer(side)); }});
        cases.push_back(
            {"light_transfer", what, {}, 0, "", "f32", [=](Bench& bench) { return op_work(bench, light(side)); }});
    }
}

} // namespace bifrons::bench
