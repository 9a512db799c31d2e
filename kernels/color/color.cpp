#include "kernels/color/color.h"

#include "kernels/color/gaussian_blur.h"

namespace bifrons::kernels {

namespace {

constexpr double kLabFlops = 120, kStatisticsFlops = 19; // of a pixel

bool is_cpu(Target target)
{
    return target.kind == DeviceKind::cpu;
}

void check_strength(const char* op, const char* name, float strength)
{
    BIFRONS_CHECK(shape, strength >= 0 && strength <= 1, op, ": ", name, " is ", strength, "; expected 0..1");
}

} // namespace

Cost BgrToLab::cost(Target) const
{
    return {.flops = kLabFlops * double(n), .bytes = 24.0 * double(n)};
}

Cost LabToBgr::cost(Target) const
{
    return {.flops = kLabFlops * double(n), .bytes = 24.0 * double(n)};
}

Cost ColorStatistics::cost(Target target) const
{
    return {.flops = kStatisticsFlops * double(n),
            .bytes = 16.0 * double(n),
            .workspace_bytes = is_cpu(target) ? 0 : kColorSumBlocks * (4 + 3) * sizeof(double)};
}

void ColorTransfer::check(Target) const
{
    check_strength(kName, "alpha", alpha);
}

Cost ColorTransfer::cost(Target device) const
{
    return {.flops = (3 * kLabFlops + 2 * kStatisticsFlops) * double(n),
            .bytes = 40.0 * double(n),
            .workspace_bytes = is_cpu(device) ? std::size_t(n) * 12 : kColorSumBlocks * (7 + 6) * sizeof(double)};
}

void LightTransfer::check(Target) const
{
    check_strength(kName, "beta", beta);
    BIFRONS_CHECK(shape, s.sigma >= 0.1f && s.sigma <= 1000, "light_transfer: sigma is ", s.sigma,
                  "; expected 0.1..1000 px");
}

Cost LightTransfer::cost(Target device) const
{
    const Cost blur = GaussianBlur{{s.H, s.W, 1, s.sigma}}.cost(device);
    const double n = double(s.pixels());
    return {.flops = 3 * blur.flops + 50 * n,
            .bytes = 3 * blur.bytes + 64 * n,
            .workspace_bytes =
                is_cpu(device) ? std::size_t(s.pixels()) * 16 : 2 * aligned(std::size_t(s.pixels()) * 12)};
}

} // namespace bifrons::kernels
