// kernels/color/blur.cuh - a Gaussian along one axis, with taps that sum to 1. Two calls blur a picture.
#pragma once

namespace bifrons::kernels::BIFRONS_SIMT_NS {

/// The axis of a dense array along which neighbours lie `stride` elements apart, `length` of them.
struct BlurAxis {
    std::int64_t length, stride;
};

struct BlurTaps {
    float sigma;
    int radius; ///< taps reach from -radius to radius
};

/// taps[i] = g(i - radius), formed in f64 by all threads of the block.
__device__ inline void form_taps(BlurTaps t, float* taps)
{
    const auto weight = [&](int i) {
        const double d = i - t.radius;
        return std::exp(-0.5 * d * d / (double(t.sigma) * double(t.sigma)));
    };
    double sum = 0;
    for (int i = int(threadIdx.x); i <= 2 * t.radius; i += int(blockDim.x)) sum += weight(i);
    sum = block_sum(sum);
    for (int i = int(threadIdx.x); i <= 2 * t.radius; i += int(blockDim.x)) taps[i] = float(weight(i) / sum);
    __syncthreads();
}

/// y[i] = store(sum_d g(d) x[i + d stride]), zero beyond the ends of the axis. One thread an element.
template <int most_radius, class Store>
__global__ void __launch_bounds__(kBlockSize)
    blur_kernel(std::int64_t n, BlurAxis axis, BlurTaps t, const float* x, float* y, Store store)
{
    wait_for_previous_kernel();
    using Taps = float[2 * most_radius + 1];
    SHARED(Taps, taps);
    form_taps(t, taps);
    const std::int64_t i = global_thread();
    if (i >= n) return;
    const std::int64_t at = i / axis.stride % axis.length, before = least<std::int64_t>(t.radius, at),
                       behind = least<std::int64_t>(t.radius, axis.length - 1 - at);
    const float* from = x + i - before * axis.stride;
    float sum = 0;
    for (int d = -int(before); d <= int(behind); ++d, from += axis.stride) sum += taps[d + t.radius] * *from;
    y[i] = store(sum);
}

/// Element as it is.
struct StoreBlurred {
    __device__ float operator()(float v) const { return v; }
};

/// y = store(x [outer,H,W,C] blurred along W, then along H); scratch like x. y may be x.
template <int most_radius, class Store>
void blur(const char* name, const Exec& ex, std::int64_t n, std::int64_t H, std::int64_t W, std::int64_t C, BlurTaps t,
          const float* x, float* scratch, float* y, const Store& store)
{
    launch(name, blur_kernel<most_radius, StoreBlurred>, grid_1d(n), ex, n, BlurAxis{W, C}, t, x, scratch,
           StoreBlurred{});
    launch(name, blur_kernel<most_radius, Store>, grid_1d(n), ex, n, BlurAxis{H, W * C}, t, scratch, y, store);
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
