#include "kernels/device/roofline.h"

#include <algorithm>
#include <iterator>

namespace bifrons::kernels {

namespace {

constexpr double kTera = 1e12;
constexpr const char* kMeasured = "bf16 product and copy measured, the rest by the maker's ratios";
constexpr const char* kSheet = "the maker's sheet, 90 % of its bandwidth";

// GeForce cards halve their bf16 rate when they sum in f32.
constexpr Ceilings kTable[] = {
    {"A100", 80, 312 * kTera, 156 * kTera, 19.5 * kTera, 1.8 * kTera, kSheet},
    {"RTX 3090", 86, 71 * kTera, 35.5 * kTera, 35.6 * kTera, 0.84 * kTera, kSheet},
    {"RTX 4090", 89, 165 * kTera, 82.6 * kTera, 82.6 * kTera, 0.92 * kTera, kSheet},
    {"H200", 90, 790 * kTera, 395 * kTera, 67 * kTera, 4.3 * kTera, kMeasured},
    {"H100", 90, 790 * kTera, 395 * kTera, 67 * kTera, 3.0 * kTera, kSheet},
    {"RTX 5090", 120, 209 * kTera, 104.8 * kTera, 104.8 * kTera, 1.6 * kTera, kSheet},
};

} // namespace

const Ceilings* ceilings_of(const std::string& gpu)
{
    const auto it = std::find_if(std::begin(kTable), std::end(kTable),
                                 [&](const Ceilings& c) { return gpu.find(c.gpu) != gpu.npos; });
    return it == std::end(kTable) ? nullptr : &*it;
}

const Ceilings* ceilings_of(Target target)
{
    const auto it =
        std::find_if(std::begin(kTable), std::end(kTable), [&](const Ceilings& c) { return c.sm == target.sm; });
    return target.kind != DeviceKind::cuda || it == std::end(kTable) ? nullptr : &*it;
}

Arithmetic arithmetic_of(const std::string& op, Arithmetic of_products)
{
    const bool product = op.rfind("conv2d", 0) == 0 || op.rfind("dense", 0) == 0;
    return product ? of_products : Arithmetic::f32;
}

double floor_seconds(const Cost& cost, const Ceilings& ceilings, Arithmetic arithmetic)
{
    return std::max(cost.flops / ceilings.rate(arithmetic), cost.bytes / ceilings.bandwidth);
}

} // namespace bifrons::kernels
