// kernels/resample/upsample_nearest.cu - repetition of pixels. A packet of channels a thread: forward of y, backward of
// x, which adds up its block. Limit: memory bandwidth.
#include "kernels/resample/upsample_nearest.h"

#include "kernels/device/simt.h"
#include "kernels/device/storage.h"
#include "kernels/pointwise/store.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

template <class T, int N>
__global__ void __launch_bounds__(kBlockSize) upsample_nearest_kernel(UpsampleNearestShape s, const T* x, T* y)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread() * N;
    if (i >= s.y_size()) return;
    const auto [n, p, q, c] = packet_place<N>(s.factor * s.H, s.factor * s.W, s.C);
    const unsigned h = unsigned(p) / unsigned(s.factor), w = unsigned(q) / unsigned(s.factor);
    float v[N];
    load_packet(x + ((n * s.H + h) * s.W + w) * s.C + c, v);
    store_packet(y + i, v);
}

template <class T, int N>
__global__ void __launch_bounds__(kBlockSize)
    upsample_nearest_grad_kernel(UpsampleNearestShape s, const T* dy, GradientStore<T> d)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread() * N;
    if (i >= s.x_size()) return;
    const auto [n, h, w, c] = packet_place<N>(s.H, s.W, s.C);
    const T* corner = dy + ((n * s.H + h) * s.factor * s.W + w) * s.factor * s.C + c;
    float sum[N] = {};
    for (int p = 0; p < int(s.factor); ++p)
        for (int q = 0; q < int(s.factor); ++q) add_packet(corner + (p * s.factor * s.W + q) * s.C, sum);
    d.store(i, sum);
}

} // namespace

void run(Exec ex, const UpsampleNearestFwd& op)
{
    const UpsampleNearestShape& s = op.s;
    on_storage(op.kName, op.x.dtype, [&]<class T>() {
        on_packets<T>(s.C, {op.x, op.y}, [&]<int N>() {
            launch(op.kName, upsample_nearest_kernel<T, N>, grid_of_packets<N>(s.y_size()), ex, s, op.x.as<T>(),
                   op.y.as<T>());
        });
    });
}

void run(Exec ex, const UpsampleNearestGrad& op)
{
    const UpsampleNearestShape& s = op.s;
    on_storage(op.kName, op.dy.dtype, [&]<class T>() {
        on_packets<T>(s.C, {op.dy, op.d.out, op.d.add, op.d.saved}, [&]<int N>() {
            launch(op.kName, upsample_nearest_grad_kernel<T, N>, grid_of_packets<N>(s.x_size()), ex, s, op.dy.as<T>(),
                   GradientStore<T>(op.d));
        });
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
