// kernels/resample/avg_pool.cu - mean pooling. A packet of channels a thread: forward of y, which adds up its window;
// backward of x, which adds up the windows over it. Limit: memory bandwidth.
#include "kernels/resample/avg_pool.h"

#include "kernels/device/simt.h"
#include "kernels/device/storage.h"
#include "kernels/pointwise/store.cuh"
#include "kernels/resample/windows.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

template <class T, int N>
__global__ void __launch_bounds__(kBlockSize)
    avg_pool_kernel(AvgPoolShape s, std::int64_t P, std::int64_t Q, const T* x, T* y)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread() * N;
    if (i >= s.N * P * Q * s.C) return;
    const auto [n, p, q, c] = packet_place<N>(P, Q, s.C);
    const T* corner = x + ((n * s.H + p * s.stride) * s.W + q * s.stride) * s.C + c;
    const int window = int(s.window);
    float sum[N] = {};
    for (int tap = 0; tap < window * window; ++tap) add_packet(corner + (tap / window * s.W + tap % window) * s.C, sum);
    for (float& v : sum) v *= s.weight();
    store_packet(y + i, sum);
}

template <class T, int N>
__global__ void __launch_bounds__(kBlockSize)
    avg_pool_grad_kernel(AvgPoolShape s, std::int64_t P, std::int64_t Q, const T* dy, GradientStore<T> d)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread() * N;
    if (i >= s.x_size()) return;
    const auto [n, h, w, c] = packet_place<N>(s.H, s.W, s.C);
    const Windows rows = windows_over(h, s.window, s.stride, P), columns = windows_over(w, s.window, s.stride, Q);
    float sum[N] = {};
    for (std::int64_t p = rows.first; p < rows.end; ++p)
        for (std::int64_t q = columns.first; q < columns.end; ++q)
            add_packet(dy + ((n * P + p) * Q + q) * s.C + c, sum);
    for (float& v : sum) v *= s.weight();
    d.store(i, sum);
}

} // namespace

void run(Exec ex, const AvgPoolFwd& op)
{
    const AvgPoolShape& s = op.s;
    on_storage(op.kName, op.x.dtype, [&]<class T>() {
        on_packets<T>(s.C, {op.x, op.y}, [&]<int N>() {
            launch(op.kName, avg_pool_kernel<T, N>, grid_of_packets<N>(s.y_size()), ex, s, s.P(), s.Q(), op.x.as<T>(),
                   op.y.as<T>());
        });
    });
}

void run(Exec ex, const AvgPoolGrad& op)
{
    const AvgPoolShape& s = op.s;
    on_storage(op.kName, op.dy.dtype, [&]<class T>() {
        on_packets<T>(s.C, {op.dy, op.d.out, op.d.add, op.d.saved}, [&]<int N>() {
            launch(op.kName, avg_pool_grad_kernel<T, N>, grid_of_packets<N>(s.x_size()), ex, s, s.P(), s.Q(),
                   op.dy.as<T>(), GradientStore<T>(op.d));
        });
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
