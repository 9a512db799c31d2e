// bench/resample_bench.cpp - what the variants of the network use in place of strides and pixel shuffles, at the sizes
// of its encoder and decoder.
#include "bench/op.h"
#include "kernels/resample/max_pool.h"
#include "kernels/resample/upsample_nearest.h"

namespace bifrons::bench {

namespace {

using Views = OpCase::Views;

kernels::MaxPoolShape pool_shape(const Place& p)
{
    return {2 * p.batch, p.network.resolution, p.network.resolution, p.network.e};
}

OpCase max_pool(const Place& p)
{
    const auto s = pool_shape(p);
    return {.in = {p.normal(s.x_size(), 1, true)},
            .out = {{s.y_size(), p.dtype}, {s.y_size(), DType::u8}},
            .run = [s](Exec ex, const Views& in, const Views& out) {
                kernels::run(ex, kernels::MaxPoolFwd{s, in[0], out[0], out[1]});
            }};
}

OpCase max_pool_grad(const Place& p)
{
    const auto s = pool_shape(p);
    std::vector<std::uint8_t> index(std::size_t(s.y_size()), 0);
    for (std::size_t i = 0; i < index.size(); ++i) index[i] = std::uint8_t(i * 7 % 4);
    return {.in = {p.normal(s.y_size(), 1, true), {.bytes = index}},
            .out = {{s.x_size(), p.dtype}},
            .run = [s](Exec ex, const Views& in, const Views& out) {
                kernels::run(ex, kernels::MaxPoolGrad{s, in[0], in[1], {.out = out[0]}});
            }};
}

kernels::UpsampleNearestShape upsample_shape(const Place& p)
{
    return {p.batch, p.network.resolution / 4, p.network.resolution / 4, 4 * p.network.d};
}

OpCase upsample(const Place& p)
{
    const auto s = upsample_shape(p);
    return {.in = {p.normal(s.x_size(), 1, true)},
            .out = {{s.y_size(), p.dtype}},
            .run = [s](Exec ex, const Views& in, const Views& out) {
                kernels::run(ex, kernels::UpsampleNearestFwd{s, in[0], out[0]});
            }};
}

OpCase upsample_grad(const Place& p)
{
    const auto s = upsample_shape(p);
    return {.in = {p.normal(s.y_size(), 1, true)},
            .out = {{s.x_size(), p.dtype}},
            .run = [s](Exec ex, const Views& in, const Views& out) {
                kernels::run(ex, kernels::UpsampleNearestGrad{s, in[0], {.out = out[0]}});
            }};
}

} // namespace

void add_resample(const Grid& grid, Cases& cases)
{
    add_ops(grid,
            {
                {"max_pool_fwd", "encoder", max_pool},
                {"max_pool_grad", "encoder", max_pool_grad},
                {"upsample_nearest_fwd", "decoder", upsample},
                {"upsample_nearest_grad", "decoder", upsample_grad},
            },
            cases);
}

} // namespace bifrons::bench
