// kernels/conv2d/conv2d_direct.cu - method `direct`: each thread computes one element of the result by the definition's
// sum, in its order, from global memory. The simplest kernels that are right, and the first rung of the ladder; caches
// serve the many reads of the same values. Limit: load instructions, two for each multiply-add.
#include "kernels/conv2d/conv2d_direct.h"

#include "kernels/device/simt.h"
#include "kernels/device/storage.h"
#include "kernels/pointwise/store.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

// s is the shape, so the filter's column is t.

// A thread per y[n,p,q,k]; the threads of a warp differ in k: they read the same x and neighbouring filters.
template <class T, class Y>
__global__ void __launch_bounds__(kBlockSize)
    conv2d_fwd_kernel(Conv2dShape s, const T* x, const T* w, EpilogueStore<Y> y)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread();
    if (i >= s.y_size()) return;
    const std::int64_t P = s.P(), Q = s.Q();
    const std::int64_t k = i % s.K, q = i / s.K % Q, p = i / s.K / Q % P, n = i / s.K / Q / P;
    float sum = 0;
    for (std::int64_t r = 0; r < s.R; ++r) {
        const std::int64_t h = p * s.stride + r - s.pad;
        if (h < 0 || h >= s.H) continue;
        for (std::int64_t t = 0; t < s.S; ++t) {
            const std::int64_t v = q * s.stride + t - s.pad;
            if (v < 0 || v >= s.W) continue;
            const T* pixel = x + ((n * s.H + h) * s.W + v) * s.C;
            const T* filter = w + ((k * s.R + r) * s.S + t) * s.C;
            for (std::int64_t c = 0; c < s.C; ++c) sum += to_f32(pixel[c]) * to_f32(filter[c]);
        }
    }
    y.store(i, sum);
}

// A thread per dx[n,h,v,c]; the threads of a warp differ in c: they read the same dy and neighbouring weights. Room for
// two blocks is enough: left to itself, ptxas makes room for more on sm_120 and spills.
template <class T>
__global__ void __launch_bounds__(kBlockSize, 2)
    conv2d_dgrad_kernel(Conv2dShape s, const T* dy, const T* w, GradientOrValueStore<T> dx)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread();
    if (i >= s.x_size()) return;
    const std::int64_t P = s.P(), Q = s.Q();
    const auto [n, h, v, c] = packet_place<1>(s.H, s.W, s.C);
    const int stride = int(s.stride);
    float sum = 0;
    for (std::int64_t r = 0; r < s.R; ++r) {
        const int y = int(h + s.pad - r), p = y / stride; // y = p * stride, if an output reads x[h] by row r
        if (y < 0 || y % stride != 0 || p >= P) continue;
        for (std::int64_t t = 0; t < s.S; ++t) {
            const int u = int(v + s.pad - t), q = u / stride;
            if (u < 0 || u % stride != 0 || q >= Q) continue;
            const T* pixel = dy + ((n * P + p) * Q + q) * s.K;
            const T* filter = w + (r * s.S + t) * s.C + c;
            for (std::int64_t k = 0; k < s.K; ++k) sum += to_f32(pixel[k]) * to_f32(filter[k * s.R * s.S * s.C]);
        }
    }
    float one[1] = {sum};
    dx.store(i, one);
}

// A thread per dw[k,r,s,c]; the threads of a warp differ in c: they read the same dy and neighbouring x.
template <class T>
__global__ void __launch_bounds__(kBlockSize)
    conv2d_wgrad_kernel(Conv2dShape s, const T* dy, const T* x, float* dw, bool accumulate)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread();
    if (i >= s.w_size()) return;
    const std::int64_t P = s.P(), Q = s.Q();
    const std::int64_t c = i % s.C, t = i / s.C % s.S, r = i / s.C / s.S % s.R, k = i / s.C / s.S / s.R;
    float sum = 0;
    for (std::int64_t n = 0; n < s.N; ++n)
        for (std::int64_t p = 0; p < P; ++p) {
            const std::int64_t h = p * s.stride + r - s.pad;
            if (h < 0 || h >= s.H) continue;
            for (std::int64_t q = 0; q < Q; ++q) {
                const std::int64_t v = q * s.stride + t - s.pad;
                if (v < 0 || v >= s.W) continue;
                sum += to_f32(dy[((n * P + p) * Q + q) * s.K + k]) * to_f32(x[((n * s.H + h) * s.W + v) * s.C + c]);
            }
        }
    dw[i] = accumulate ? dw[i] + sum : sum;
}

} // namespace

void run_direct(Exec ex, const Conv2dFwd& op)
{
    const auto launch_for = [&]<class T, class Y>() {
        launch("conv2d_fwd direct", conv2d_fwd_kernel<T, Y>, grid_1d(op.s.y_size()), ex, op.s, op.x.as<T>(),
               op.w.as<T>(), EpilogueStore<Y>(op.s.y_shape(), op.e, op.y));
    };
    on_storage(op.kName, op.x.dtype, [&]<class T>() {
        if (op.y.dtype == op.x.dtype)
            launch_for.template operator()<T, T>();
        else
            launch_for.template operator()<T, float>();
    });
}

void run_direct(Exec ex, const Conv2dDgrad& op)
{
    on_storage(op.kName, op.dy.dtype, [&]<class T>() {
        launch("conv2d_dgrad direct", conv2d_dgrad_kernel<T>, grid_of_packets<1>(op.s.x_size()), ex, op.s,
               op.dy.as<T>(), op.w.as<T>(), GradientOrValueStore<T>(op.s.x_shape(), op.out()));
    });
}

void run_direct(Exec ex, const Conv2dWgrad& op)
{
    on_storage(op.kName, op.dy.dtype, [&]<class T>() {
        launch("conv2d_wgrad direct", conv2d_wgrad_kernel<T>, grid_1d(op.s.w_size()), ex, op.s, op.dy.as<T>(),
               op.x.as<T>(), op.dw.as<float>(), op.accumulate);
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
