// kernels/augment/blur_outside.cu - the smoothed background in two launches. Limit: the first-level cache.
#include "kernels/augment/blur_outside.h"

#include "kernels/augment/blur_outside_ref.h"
#include "kernels/device/simt.h"

#include "kernels/color/blur.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

constexpr int kMostRadius = 64; // of sigma 32
using Taps = float[2 * kMostRadius + 1];

/// planes [N,H,W,4] = (1 - M) (x, 1), blurred along W. One thread a pixel.
__global__ void __launch_bounds__(kBlockSize)
    rows_kernel(std::int64_t n, int W, BlurTaps t, const float* mask, const float* x, float4* planes)
{
    wait_for_previous_kernel();
    SHARED(Taps, taps);
    form_taps(t, taps);
    const std::int64_t i = global_thread();
    if (i >= n) return;
    const int w = int(i % W), from = -least(t.radius, w), to = least(t.radius, W - 1 - w);
    float4 sum = {0, 0, 0, 0};
    for (int d = from; d <= to; ++d) {
        const float share = taps[d + t.radius] * (1 - mask[i + d]);
        const float* bgr = x + 3 * (i + d);
        sum.x += share * bgr[0], sum.y += share * bgr[1], sum.z += share * bgr[2], sum.w += share;
    }
    planes[i] = sum;
}

/// The planes blurred along H and mixed into x.
__global__ void __launch_bounds__(kBlockSize)
    columns_kernel(std::int64_t n, int H, int W, BlurTaps t, const float* mask, const float4* planes, float* x)
{
    wait_for_previous_kernel();
    SHARED(Taps, taps);
    form_taps(t, taps);
    const std::int64_t i = global_thread();
    if (i >= n) return;
    const int h = int(i / W % H), from = -least(t.radius, h), to = least(t.radius, H - 1 - h);
    float sum[4] = {};
    for (int d = from; d <= to; ++d) {
        const float tap = taps[d + t.radius];
        const float4 v = planes[i + std::int64_t(d) * W];
        sum[0] += tap * v.x, sum[1] += tap * v.y, sum[2] += tap * v.z, sum[3] += tap * v.w;
    }
    mix_outside(mask[i], sum, sum[3], x + 3 * i);
}

} // namespace

void run(Exec ex, const BlurOutside& op)
{
    const BlurOutsideShape& s = op.s;
    const std::int64_t n = s.pixels();
    const BlurTaps taps{s.sigma, s.radius()};
    auto* planes = static_cast<float4*>(ex.workspace.data);
    launch(op.kName, rows_kernel, grid_1d(n), ex, n, int(s.W), taps, op.mask.as<float>(), op.x.as<float>(), planes);
    launch(op.kName, columns_kernel, grid_1d(n), ex, n, int(s.H), int(s.W), taps, op.mask.as<float>(), planes,
           op.x.as<float>());
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
