// bench/features_bench.cpp - what a feature network runs around its convolutions, for the prediction of one identity:
// VGG-16's input map, mirrored rims and distances at relu1_2, SqueezeNet's overlapping windows, the means in the
// network of identities, the face mesh's filters of one channel.
#include "bench/op.h"
#include "kernels/color/color_affine.h"
#include "kernels/conv2d/depthwise.h"
#include "kernels/losses/lpips.h"
#include "kernels/pointwise/prelu.h"
#include "kernels/resample/avg_pool.h"
#include "kernels/resample/max_pool.h"
#include "kernels/resample/pad_reflect.h"

namespace bifrons::bench {

namespace {

using Views = OpCase::Views;
constexpr std::int64_t kChannels = 64;

kernels::ColorAffine input_map()
{
    return {{{0, 0, 4.4}, {0, 4.5, 0}, {4.4, 0, 0}}, {-2.1, -2.0, -1.8}};
}

OpCase input(const Place& p)
{
    const std::int64_t n = p.pixels();
    return {.in = {{.values = Bench::normal_values(3 * n, DType::f32, 1)},
                   {.values = Bench::normal_values(n, DType::f32, 2)}},
            .out = {{3 * n, p.dtype}},
            .run = [n](Exec ex, const Views& in, const Views& out) {
                kernels::run(ex, kernels::ColorAffineFwd{n, input_map(), in[0], in[1], out[0]});
            }};
}

OpCase input_grad(const Place& p)
{
    const std::int64_t n = p.pixels();
    return {.in = {p.normal(3 * n, 1, true), {.values = Bench::normal_values(n, DType::f32, 2)}},
            .out = {{3 * n, DType::f32}},
            .run = [n](Exec ex, const Views& in, const Views& out) {
                kernels::run(ex, kernels::ColorAffineGrad{n, input_map(), in[0], in[1], {.out = out[0]}});
            }};
}

kernels::PadReflectShape padded(const Place& p)
{
    return {p.batch, p.network.resolution, p.network.resolution, kChannels, 1};
}

OpCase pad(const Place& p)
{
    const auto s = padded(p);
    return {.in = {p.normal(s.x_size(), 1, true)},
            .out = {{s.y_size(), p.dtype}},
            .run = [s](Exec ex, const Views& in, const Views& out) {
                kernels::run(ex, kernels::PadReflectFwd{s, in[0], out[0]});
            }};
}

OpCase pad_grad(const Place& p)
{
    const auto s = padded(p);
    return {.in = {p.normal(s.y_size(), 1, true)},
            .out = {{s.x_size(), p.dtype}},
            .run = [s](Exec ex, const Views& in, const Views& out) {
                kernels::run(ex, kernels::PadReflectGrad{s, in[0], {.out = out[0]}});
            }};
}

kernels::MaxPoolShape overlapping(const Place& p)
{
    const std::int64_t side = (p.network.resolution - 3) / 2 + 1;
    return {.N = p.batch, .H = side, .W = side, .C = kChannels, .window = 3, .stride = 2, .ceil = true};
}

OpCase max_pool(const Place& p)
{
    const auto s = overlapping(p);
    return {.in = {p.normal(s.x_size(), 1, true)},
            .out = {{s.y_size(), p.dtype}, {s.y_size(), DType::u8}},
            .run = [s](Exec ex, const Views& in, const Views& out) {
                kernels::run(ex, kernels::MaxPoolFwd{s, in[0], out[0], out[1]});
            }};
}

OpCase max_pool_grad(const Place& p)
{
    const auto s = overlapping(p);
    std::vector<std::uint8_t> index(std::size_t(s.y_size()), 0);
    for (std::size_t i = 0; i < index.size(); ++i) index[i] = std::uint8_t(i * 7 % 4); // within every window
    return {.in = {p.normal(s.y_size(), 1, true), {.bytes = index}},
            .out = {{s.x_size(), p.dtype}},
            .run = [s](Exec ex, const Views& in, const Views& out) {
                kernels::run(ex, kernels::MaxPoolGrad{s, in[0], in[1], {.out = out[0]}});
            }};
}

kernels::AvgPoolShape means(const Place& p)
{
    return {p.batch, p.network.resolution / 2, p.network.resolution / 2, kChannels, 2, 2};
}

OpCase avg_pool(const Place& p)
{
    const auto s = means(p);
    return {.in = {p.normal(s.x_size(), 1, true)},
            .out = {{s.y_size(), p.dtype}},
            .run = [s](Exec ex, const Views& in, const Views& out) {
                kernels::run(ex, kernels::AvgPoolFwd{s, in[0], out[0]});
            }};
}

OpCase avg_pool_grad(const Place& p)
{
    const auto s = means(p);
    return {.in = {p.normal(s.y_size(), 1, true)},
            .out = {{s.x_size(), p.dtype}},
            .run = [s](Exec ex, const Views& in, const Views& out) {
                kernels::run(ex, kernels::AvgPoolGrad{s, in[0], {.out = out[0]}});
            }};
}

constexpr double kDistanceError = 1e-4; // sums of up to 2^21 rows of 64 in a fixed order

OpCase distance(const Place& p)
{
    const kernels::LpipsShape s{p.pixels(), kChannels};
    return {.in = {p.normal(s.rows * s.C, 1, true), p.normal(s.rows * s.C, 2, true)},
            .out = {{1, DType::f32}},
            .run =
                [s](Exec ex, const Views& in, const Views& out) {
                    kernels::run(ex, kernels::LpipsFwd{s, in[0], in[1], {}, 1, out[0]});
                },
            .error = kDistanceError};
}

OpCase distance_grad(const Place& p)
{
    const kernels::LpipsShape s{p.pixels(), kChannels};
    return {.in = {p.normal(s.rows * s.C, 1, true), p.normal(s.rows * s.C, 2, true), {.values = {float(s.rows)}}},
            .out = {{s.rows * s.C, p.dtype}},
            .run =
                [s](Exec ex, const Views& in, const Views& out) {
                    kernels::run(ex, kernels::LpipsGrad{s, in[0], in[1], {}, 1, in[2], {.out = out[0]}});
                },
            .error = kDistanceError};
}

/// The first block of the face mesh.
kernels::DepthwiseShape of_mesh()
{
    return {.H = 96, .W = 96, .C = 16};
}

OpCase depthwise(const Place&)
{
    const auto s = of_mesh();
    const auto values = [](std::int64_t n, std::uint32_t seed) { return Bench::normal_values(n, DType::f32, seed); };
    return {.in = {{.values = values(s.x_size(), 1)}, {.values = values(9 * s.C, 2)}, {.values = values(s.C, 3)}},
            .out = {{s.y_size(), DType::f32}},
            .run = [s](Exec ex, const Views& in, const Views& out) {
                kernels::run(ex, kernels::Depthwise{s, in[0], in[1], in[2], out[0]});
            }};
}

OpCase prelu(const Place&)
{
    const kernels::PreluShape s = {.rows = of_mesh().x_size() / 16, .C = 16, .A = 16};
    const auto values = [](std::int64_t n, std::uint32_t seed) { return Bench::normal_values(n, DType::f32, seed); };
    return {
        .in = {{.values = values(s.rows * s.C, 1)}, {.values = values(s.rows * s.A, 2)}, {.values = values(s.C, 3)}},
        .out = {{s.rows * s.C, DType::f32}},
        .run = [s](Exec ex, const Views& in, const Views& out) {
            kernels::run(ex, kernels::Prelu{s, in[0], in[1], in[2], out[0]});
        }};
}

} // namespace

void add_features(const Grid& grid, Cases& cases)
{
    add_ops(grid,
            {
                {"color_affine_fwd", "VGG-16", input, false},
                {"color_affine_grad", "VGG-16", input_grad, false},
                {"pad_reflect_fwd", "VGG-16", pad, false},
                {"pad_reflect_grad", "VGG-16", pad_grad, false},
                {"max_pool_fwd", "SqueezeNet", max_pool, false},
                {"max_pool_grad", "SqueezeNet", max_pool_grad, false},
                {"avg_pool_fwd", "identity", avg_pool, false},
                {"avg_pool_grad", "identity", avg_pool_grad, false},
                {"lpips_fwd", "relu1_2", distance, false},
                {"lpips_grad", "relu1_2", distance_grad, false},
            },
            cases);
    add_f32_ops(grid, {{"depthwise", "face mesh", depthwise, false}, {"prelu", "face mesh", prelu, false}}, cases);
}

} // namespace bifrons::bench
