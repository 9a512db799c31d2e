// bench/resample_bench.cpp - what the variants of the network use in place of strides and pixel shuffles, at the sizes
// of its encoder and decoder.
#include "bench/op.h"
#include "kernels/resample/max_pool.h"
#include "kernels/resample/resize_bilinear.h"
#include "kernels/resample/upsample_nearest.h"

namespace bifrons::bench {

namespace {

using Views = OpCase::Views;

Input normal(std::int64_t n, DType dtype)
{
    return {.values = Bench::normal_values(n, dtype, 1, 1, true), .dtype = dtype};
}

OpCase max_pool(const Network& network, std::int64_t batch, DType dtype)
{
    const kernels::MaxPoolShape s{2 * batch, network.resolution, network.resolution, network.e};
    return {.in = {normal(s.x_size(), dtype)},
            .out = {{s.y_size(), dtype}, {s.y_size(), DType::u8}},
            .run = [s](Exec ex, const Views& in, const Views& out) {
                kernels::max_pool_fwd(ex, s, in[0], out[0], out[1]);
            }};
}

OpCase max_pool_grad(const Network& network, std::int64_t batch, DType dtype)
{
    const kernels::MaxPoolShape s{2 * batch, network.resolution, network.resolution, network.e};
    std::vector<std::uint8_t> index(std::size_t(s.y_size()), 0);
    for (std::size_t i = 0; i < index.size(); ++i) index[i] = std::uint8_t(i * 7 % 4);
    return {.in = {normal(s.y_size(), dtype), {.bytes = index}},
            .out = {{s.x_size(), dtype}},
            .run = [s](Exec ex, const Views& in, const Views& out) {
                kernels::max_pool_grad(ex, s, in[0], in[1], {.out = out[0]});
            }};
}

kernels::UpsampleNearestShape upsample_shape(const Network& network, std::int64_t batch)
{
    return {batch, network.resolution / 4, network.resolution / 4, 4 * network.d};
}

OpCase upsample(const Network& network, std::int64_t batch, DType dtype)
{
    const auto s = upsample_shape(network, batch);
    return {.in = {normal(s.x_size(), dtype)},
            .out = {{s.y_size(), dtype}},
            .run = [s](Exec ex, const Views& in, const Views& out) {
                kernels::upsample_nearest_fwd(ex, s, in[0], out[0]);
            }};
}

OpCase upsample_grad(const Network& network, std::int64_t batch, DType dtype)
{
    const auto s = upsample_shape(network, batch);
    return {.in = {normal(s.y_size(), dtype)},
            .out = {{s.x_size(), dtype}},
            .run = [s](Exec ex, const Views& in, const Views& out) {
                kernels::upsample_nearest_grad(ex, s, in[0], {.out = out[0]});
            }};
}

OpCase resize(const Network& network, std::int64_t batch, DType dtype)
{
    const kernels::ResizeBilinearShape s{batch,         network.resolution / 2, network.resolution / 2,
                                         2 * network.d, network.resolution,     network.resolution};
    return {
        .in = {normal(s.x_size(), dtype)},
        .out = {{s.y_size(), dtype}},
        .run = [s](Exec ex, const Views& in, const Views& out) { kernels::resize_bilinear_fwd(ex, s, in[0], out[0]); }};
}

OpCase resize_grad(const Network& network, std::int64_t batch, DType dtype)
{
    const kernels::ResizeBilinearShape s{batch,         network.resolution / 2, network.resolution / 2,
                                         2 * network.d, network.resolution,     network.resolution};
    return {.in = {normal(s.y_size(), dtype)},
            .out = {{s.x_size(), dtype}},
            .run = [s](Exec ex, const Views& in, const Views& out) {
                kernels::resize_bilinear_grad(ex, s, in[0], {.out = out[0]});
            }};
}

struct Row {
    const char *name, *what;
    OpCase (*make)(const Network&, std::int64_t batch, DType);
};
constexpr Row kRows[] = {
    {"max_pool_fwd", "encoder", max_pool},         {"max_pool_grad", "encoder", max_pool_grad},
    {"upsample_nearest_fwd", "decoder", upsample}, {"upsample_nearest_grad", "decoder", upsample_grad},
    {"resize_bilinear_fwd", "decoder", resize},    {"resize_bilinear_grad", "decoder", resize_grad},
};

} // namespace

void add_resample(const Grid& grid, Cases& cases)
{
    for_each_storage(grid, [&](const Network& network, std::int64_t batch, const std::string& precision) {
        for (const Row& row : kRows)
            cases.push_back({row.name, row.what, network, batch, "", precision, [=](Bench& bench) {
                                 return op_work(bench, row.make(network, batch, storage_of(precision)));
                             }});
    });
}

} // namespace bifrons::bench
