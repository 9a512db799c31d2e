#include "kernels/augment/soft_mask.h"

#include "kernels/augment/soft_mask_ref.h"
#include "kernels/base/parallel.h"

#include <array>

namespace bifrons::kernels {

namespace {

constexpr int kMaxRadius = 128;

/// One pass along W, from rows of x to rows of y.
void blur_rows(const SoftMaskShape& s, const float* taps, int radius, const float* x, float* y)
{
    parallel_for(s.N * s.H, 8, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row)
            for (std::int64_t w = 0; w < s.W; ++w) {
                const std::int64_t from = std::max<std::int64_t>(-radius, -w),
                                   to = std::min<std::int64_t>(radius, s.W - 1 - w);
                float sum = 0;
                for (std::int64_t d = from; d <= to; ++d) sum += taps[d + radius] * x[row * s.W + w + d];
                y[row * s.W + w] = sum;
            }
    });
}

/// One pass along H, and the clamp.
void blur_columns(const SoftMaskShape& s, const float* taps, int radius, const float* x, float* y)
{
    parallel_for(s.N * s.H, 8, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            const std::int64_t h = row % s.H;
            float* out = y + row * s.W;
            std::fill_n(out, s.W, 0.0f);
            for (std::int64_t d = std::max<std::int64_t>(-radius, -h); d <= std::min<std::int64_t>(radius, s.H - 1 - h);
                 ++d)
                for (std::int64_t w = 0; w < s.W; ++w) out[w] += taps[d + radius] * x[(row + d) * s.W + w];
            for (std::int64_t w = 0; w < s.W; ++w) out[w] = 2 * std::min(out[w], 0.5f);
        }
    });
}

} // namespace

int SoftMaskShape::radius() const
{
    return std::max(3, int(4 * sigma)) / 2;
}

void SoftMask::check(Target) const
{
    BIFRONS_CHECK(shape, s.size() > 0 && s.sigma >= 0.3f && s.sigma <= 64, "soft_mask: [", s.N, ",", s.H, ",", s.W,
                  "] with sigma ", s.sigma, "; expected sizes above 0 and sigma in 0.3..64");
}

Cost SoftMask::cost(Target) const
{
    const double n = double(s.size());
    return {.flops = 4.0 * (2 * s.radius() + 1) * n,
            .bytes = 4.0 * n * double(dtype_bytes(mask.dtype)),
            .workspace_bytes = mask.dtype == DType::f32 ? std::size_t(s.size()) * sizeof(float) : 0};
}

void cpu::run(Exec ex, const SoftMask& op)
{
    const SoftMaskShape& s = op.s;
    if (op.mask.dtype == DType::f64) return ref::soft_mask(s, op.mask.as<double>(), op.y.as<double>());
    const int radius = s.radius();
    std::array<double, 2 * kMaxRadius + 1> exact{};
    double sum = 0;
    for (int d = -radius; d <= radius; ++d)
        sum += exact[std::size_t(d + radius)] = std::exp(-double(d) * d / (2.0 * double(s.sigma) * s.sigma));
    std::array<float, 2 * kMaxRadius + 1> taps{};
    for (std::size_t i = 0; i < taps.size(); ++i) taps[i] = float(exact[i] / sum);
    float* rows = static_cast<float*>(ex.workspace.data);
    blur_rows(s, taps.data(), radius, op.mask.as<float>(), rows);
    blur_columns(s, taps.data(), radius, rows, op.y.as<float>());
}

} // namespace bifrons::kernels
