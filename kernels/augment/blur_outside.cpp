#include "kernels/augment/blur_outside.h"

#include "kernels/augment/blur_outside_ref.h"
#include "kernels/base/parallel.h"

#include <algorithm>
#include <array>

namespace bifrons::kernels {

namespace {

constexpr int kMostRadius = 64;

/// planes [N,H,W,4] = (1 - M) (x, 1), blurred along W.
void blur_rows(const BlurOutsideShape& s, const float* taps, const float* mask, const float* x, float* planes)
{
    const int radius = s.radius();
    parallel_for(s.N * s.H, 8, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row)
            for (std::int64_t w = 0; w < s.W; ++w) {
                const std::int64_t from = std::max<std::int64_t>(-radius, -w),
                                   to = std::min<std::int64_t>(radius, s.W - 1 - w);
                float sum[4] = {};
                for (std::int64_t d = from; d <= to; ++d) {
                    const std::int64_t at = row * s.W + w + d;
                    const float share = taps[d + radius] * (1 - mask[at]);
                    for (int c = 0; c < 3; ++c) sum[c] += share * x[3 * at + c];
                    sum[3] += share;
                }
                std::copy_n(sum, 4, planes + 4 * (row * s.W + w));
            }
    });
}

/// Blurs the planes along H and mixes what comes out into x.
void blur_columns(const BlurOutsideShape& s, const float* taps, const float* mask, const float* planes, float* x)
{
    const int radius = s.radius();
    parallel_for(s.N * s.H, 8, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            const std::int64_t h = row % s.H, from = std::max<std::int64_t>(-radius, -h),
                               to = std::min<std::int64_t>(radius, s.H - 1 - h);
            for (std::int64_t w = 0; w < s.W; ++w) {
                float sum[4] = {};
                for (std::int64_t d = from; d <= to; ++d)
                    for (int c = 0; c < 4; ++c) sum[c] += taps[d + radius] * planes[4 * ((row + d) * s.W + w) + c];
                const std::int64_t at = row * s.W + w;
                mix_outside(mask[at], sum, sum[3], x + 3 * at);
            }
        }
    });
}

} // namespace

int BlurOutsideShape::radius() const
{
    return std::max(3, int(4 * sigma)) / 2;
}

void BlurOutside::check(Target) const
{
    BIFRONS_CHECK(shape, s.pixels() > 0 && s.sigma >= 0.01f && s.sigma <= 32, "blur_outside: [", s.N, ",", s.H, ",",
                  s.W, "] with sigma ", s.sigma, "; expected sizes above 0 and sigma in 0.01..32");
}

Cost BlurOutside::cost(Target) const
{
    const double n = double(s.pixels());
    return {.flops = 16.0 * (2 * s.radius() + 1) * n,
            .bytes = (4 + 4 + 4 + 3 + 4) * 4 * n,
            .workspace_bytes = std::size_t(s.pixels()) * 16};
}

void cpu::run(Exec ex, const BlurOutside& op)
{
    const BlurOutsideShape& s = op.s;
    const float* mask = op.mask.as<float>();
    float *x = op.x.as<float>(), *planes = static_cast<float*>(ex.workspace.data);
    std::array<float, 2 * kMostRadius + 1> taps{};
    const int radius = s.radius();
    for (int d = -radius; d <= radius; ++d)
        taps[std::size_t(d + radius)] = float(std::exp(-double(d) * d / (2 * double(s.sigma) * double(s.sigma))));
    blur_rows(s, taps.data(), mask, x, planes);
    blur_columns(s, taps.data(), mask, planes, x);
}

} // namespace bifrons::kernels
