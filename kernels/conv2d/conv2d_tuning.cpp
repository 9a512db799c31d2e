#include "kernels/conv2d/conv2d_tuning.h"

#include "kernels/device/dispatch.h"

#include <limits>

namespace bifrons::kernels {

IgemmProduct igemm_product(Conv2dPass pass, const Conv2dShape& s)
{
    const std::int64_t pixels = s.N * s.P() * s.Q(), taps = s.R * s.S;
    switch (pass) {
    case Conv2dPass::fwd:
        return {pixels, s.K, taps * s.C};
    case Conv2dPass::dgrad: {
        const std::int64_t classes = s.stride * s.stride;
        return {s.N * s.H * s.W, s.C, (taps * s.K + classes - 1) / classes};
    }
    case Conv2dPass::wgrad:
        return {s.K, taps * s.C, pixels};
    }
    return {};
}

int igemm_copy_bytes(Conv2dPass pass, const Conv2dShape& s, DType dtype)
{
    const auto bytes = std::int64_t(dtype_bytes(dtype));
    for (const int copy : {16, 8, 4})
        if (s.C * bytes % copy == 0 && (pass == Conv2dPass::fwd || s.K * bytes % copy == 0)) return copy;
    return 0;
}

bool has_int_indices(const Conv2dShape& s)
{
    constexpr std::int64_t kMost = std::int64_t(1) << 30;
    return s.x_size() <= kMost && s.w_size() <= kMost && s.y_size() <= kMost;
}

bool igemm_supports(Conv2dPass pass, const Conv2dShape& s, DType dtype)
{
    constexpr std::int64_t kMaxStride = 4;
    const bool typed = dtype == DType::f32 || dtype == DType::bf16;
    return typed && has_int_indices(s) && igemm_copy_bytes(pass, s, dtype) > 0 &&
           (pass != Conv2dPass::dgrad || s.stride <= kMaxStride);
}

int multiprocessors(Target target)
{
    switch (target.sm) {
    case 80:
        return 108;
    case 86:
        return 82;
    case 89:
        return 128;
    case 90:
        return 132;
    case 120:
        return 170;
    }
    return target.kind == DeviceKind::sim ? 16 : 128;
}

namespace {

std::int64_t ceil_div(std::int64_t a, std::int64_t b)
{
    return (a + b - 1) / b;
}

/// Products per clock of a multiprocessor, bf16. A tile with fewer products per byte of shared memory is slower.
double products_per_clock(IgemmTile tile)
{
    return tile == IgemmTile::large ? 900 : tile == IgemmTile::medium ? 650 : 600;
}

/// Clocks of the pass.
double duration(const IgemmProduct& p, const IgemmPlan& plan, DType dtype, int sms)
{
    constexpr double kStart = 1500, kSecondLaunch = 4000, kBytesPerClock = 16; // bytes of a multiprocessor
    const auto [rows, columns] = igemm_tile_size(plan.tile);
    const double rate = products_per_clock(plan.tile) * (dtype == DType::bf16 ? 1 : 0.5);
    const std::int64_t depth = kIgemmDepthBytes / std::int64_t(dtype_bytes(dtype));
    const std::int64_t steps = ceil_div(ceil_div(p.depth, depth), plan.splits);
    const std::int64_t tiles = ceil_div(p.rows, rows) * ceil_div(p.columns, columns);
    const std::int64_t waves = ceil_div(tiles * plan.splits, sms);
    const double products = double(waves) * (double(steps * depth) * rows * columns / rate + kStart);
    if (plan.splits == 1) return products;
    return products + kSecondLaunch + 2.0 * 4 * plan.splits * double(p.rows * p.columns) / (kBytesPerClock * sms);
}

} // namespace

IgemmPlan igemm_plan(Conv2dPass pass, const Conv2dShape& s, DType dtype, Target target)
{
    constexpr int kMaxSplits = 256;
    const IgemmProduct product = igemm_product(pass, s);
    const bool narrow = igemm_copy_bytes(pass, s, dtype) < 16;
    const std::int64_t steps = ceil_div(product.depth * std::int64_t(dtype_bytes(dtype)), kIgemmDepthBytes);
    IgemmPlan best;
    double shortest = std::numeric_limits<double>::infinity();
    for (const IgemmTile tile : kIgemmTiles) {
        if (narrow && tile != IgemmTile::medium) continue;
        for (int splits = 1; splits <= std::min<std::int64_t>(steps, kMaxSplits); splits += 1 + splits / 8) {
            const IgemmPlan plan{tile, splits};
            const double clocks = duration(product, plan, dtype, multiprocessors(target));
            if (clocks < shortest) shortest = clocks, best = plan;
        }
    }
    return best;
}

std::size_t igemm_workspace(Conv2dPass pass, const Conv2dShape& s, const IgemmPlan& plan)
{
    const IgemmProduct p = igemm_product(pass, s);
    return plan.splits == 1 ? 0 : aligned(std::size_t(plan.splits) * std::size_t(p.rows * p.columns) * sizeof(float));
}

} // namespace bifrons::kernels
