// bench/pointwise_bench.cpp - the store formula by itself and what else touches each element once, at the tensors of
// the network's last decoder level, its largest.
#include "bench/op.h"
#include "kernels/pointwise/cast.h"
#include "kernels/pointwise/channels.h"
#include "kernels/pointwise/epilogue.h"
#include "kernels/pointwise/pixel_norm.h"

namespace bifrons::bench {

namespace {

using Views = OpCase::Views;
using kernels::Epilogue, kernels::EpilogueShape, kernels::Store;

/// What the last upscale convolution makes: [N, R/4, R/4, 8 d], shuffled to [N, R/2, R/2, 2 d].
EpilogueShape upscaled(const Place& p)
{
    return {p.batch, p.network.resolution / 4, p.network.resolution / 4, 8 * p.network.d};
}

Input bias_of(std::int64_t K)
{
    return {.values = Bench::normal_values(K, DType::f32, 9), .dtype = DType::f32};
}

OpCase epilogue(const Place& p)
{
    const EpilogueShape s = upscaled(p);
    return {.in = {p.normal(s.size(), 1), bias_of(s.K)},
            .out = {{s.size(), p.dtype}},
            .run = [s](Exec ex, const Views& in, const Views& out) {
                kernels::run(ex, kernels::EpilogueFwd{
                                     s, in[0], out[0], {.bias = in[1], .act = kernels::leaky(0.1f), .shuffle = 2}});
            }};
}

OpCase store(const Place& p)
{
    const std::int64_t n = upscaled(p).size();
    return {.in = {p.normal(n, 1), p.normal(n, 2), p.normal(n, 3, true)},
            .out = {{n, p.dtype}},
            .run = [n](Exec ex, const Views& in, const Views& out) {
                kernels::run(ex,
                             kernels::StoreGradient{
                                 n, in[0], {.out = out[0], .add = in[1], .act = kernels::leaky(0.1f), .saved = in[2]}});
            }};
}

OpCase unshuffle(const Place& p)
{
    const EpilogueShape s = upscaled(p);
    return {.in = {p.normal(s.size(), 1)},
            .out = {{s.size(), p.dtype}},
            .run = [s](Exec ex, const Views& in, const Views& out) {
                kernels::run(ex, kernels::Unshuffle{s, 2, in[0], out[0]});
            }};
}

OpCase bias_grad(const Place& p)
{
    const EpilogueShape s = upscaled(p);
    const std::int64_t rows = s.N * s.P * s.Q;
    return {.in = {p.normal(s.size(), 1)},
            .out = {{s.K, DType::f32}},
            .run =
                [rows, s](Exec ex, const Views& in, const Views& out) {
                    kernels::run(ex, kernels::BiasGrad{rows, s.K, in[0], out[0], false});
                },
            .error = 8 * 0x1p-24 * double(rows)};
}

OpCase cast(const Place& p)
{
    const std::int64_t n = upscaled(p).size();
    const DType to = p.dtype == DType::bf16 ? DType::f32 : DType::bf16;
    return {.in = {p.normal(n, 1)}, .out = {{n, to}}, .run = [n](Exec ex, const Views& in, const Views& out) {
                kernels::run(ex, kernels::Cast{n, in[0], out[0]});
            }};
}

OpCase concat(const Place& p)
{
    const EpilogueShape s = upscaled(p);
    const kernels::ChannelsShape c{4 * s.N * s.P * s.Q, 3, 9}; // the heads' four sub-pixels
    return {.in = {p.normal(c.rows * c.A, 1), p.normal(c.rows * c.B, 2)},
            .out = {{c.size(), p.dtype}},
            .run = [c](Exec ex, const Views& in, const Views& out) {
                kernels::run(ex, kernels::ConcatChannels{c, in[0], in[1], out[0]});
            }};
}

OpCase split(const Place& p)
{
    const EpilogueShape s = upscaled(p);
    const kernels::ChannelsShape c{4 * s.N * s.P * s.Q, 3, 9};
    return {.in = {p.normal(c.size(), 1)},
            .out = {{c.rows * c.A, p.dtype}, {c.rows * c.B, p.dtype}},
            .run = [c](Exec ex, const Views& in, const Views& out) {
                kernels::run(ex, kernels::SplitChannels{c, in[0], {.out = out[0]}, {.out = out[1]}});
            }};
}

OpCase pixel_norm(const Place& p)
{
    const std::int64_t side = p.network.resolution / 16;
    const kernels::PixelNormShape s{2 * p.batch, side * side * 8 * p.network.e};
    return {.in = {p.normal(s.size(), 1, true)},
            .out = {{s.size(), p.dtype}},
            .run =
                [s](Exec ex, const Views& in, const Views& out) {
                    kernels::run(ex, kernels::PixelNormFwd{s, in[0], out[0]});
                },
            .error = 8 * 0x1p-24 * double(s.F)};
}

OpCase pixel_norm_grad(const Place& p)
{
    const std::int64_t side = p.network.resolution / 16;
    const kernels::PixelNormShape s{2 * p.batch, side * side * 8 * p.network.e};
    return {.in = {p.normal(s.size(), 1), p.normal(s.size(), 2, true)},
            .out = {{s.size(), p.dtype}},
            .run =
                [s](Exec ex, const Views& in, const Views& out) {
                    kernels::run(ex, kernels::PixelNormGrad{s, in[0], in[1], {.out = out[0]}});
                },
            .error = 16 * 0x1p-24 * double(s.F)};
}

} // namespace

void add_pointwise(const Grid& grid, Cases& cases)
{
    add_ops(grid,
            {
                {"epilogue_fwd", "last level", epilogue},
                {"store_gradient", "last level", store},
                {"unshuffle", "last level", unshuffle},
                {"bias_grad", "last level", bias_grad},
                {"cast", "last level", cast},
                {"concat_channels", "last level", concat},
                {"split_channels", "last level", split},
                {"pixel_norm_fwd", "last level", pixel_norm},
                {"pixel_norm_grad", "last level", pixel_norm_grad},
            },
            cases);
}

} // namespace bifrons::bench
