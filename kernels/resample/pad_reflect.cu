// kernels/resample/pad_reflect.cu - the mirrored rim. A packet of channels a thread: forward of y; backward of x, which
// adds up the places that show it. Limit: memory bandwidth.
#include "kernels/resample/pad_reflect.h"

#include "kernels/device/simt.h"
#include "kernels/device/storage.h"
#include "kernels/pointwise/store.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

template <class T, int N>
__global__ void __launch_bounds__(kBlockSize) pad_reflect_kernel(PadReflectShape s, const T* x, T* y)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread() * N;
    if (i >= s.y_size()) return;
    const auto [n, p, q, c] = packet_place<N>(s.P(), s.Q(), s.C);
    float v[N];
    load_packet(x + ((n * s.H + mirrored(p, s.pad, s.H)) * s.W + mirrored(q, s.pad, s.W)) * s.C + c, v);
    store_packet(y + i, v);
}

template <class T, int N>
__global__ void __launch_bounds__(kBlockSize)
    pad_reflect_grad_kernel(PadReflectShape s, const T* dy, GradientStore<T> d)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread() * N;
    if (i >= s.x_size()) return;
    const auto [n, h, w, c] = packet_place<N>(s.H, s.W, s.C);
    const Mirrors rows = mirrors_of(h, s.pad, s.H), columns = mirrors_of(w, s.pad, s.W);
    float sum[N] = {};
    for (const std::int64_t p : rows.at)
        for (const std::int64_t q : columns.at)
            if (p >= 0 && q >= 0) add_packet(dy + ((n * s.P() + p) * s.Q() + q) * s.C + c, sum);
    d.store(i, sum);
}

} // namespace

void run(Exec ex, const PadReflectFwd& op)
{
    const PadReflectShape& s = op.s;
    on_storage(op.kName, op.x.dtype, [&]<class T>() {
        on_packets<T>(s.C, {op.x, op.y}, [&]<int N>() {
            launch(op.kName, pad_reflect_kernel<T, N>, grid_of_packets<N>(s.y_size()), ex, s, op.x.as<T>(),
                   op.y.as<T>());
        });
    });
}

void run(Exec ex, const PadReflectGrad& op)
{
    const PadReflectShape& s = op.s;
    on_storage(op.kName, op.dy.dtype, [&]<class T>() {
        on_packets<T>(s.C, {op.dy, op.d.out, op.d.add, op.d.saved}, [&]<int N>() {
            launch(op.kName, pad_reflect_grad_kernel<T, N>, grid_of_packets<N>(s.x_size()), ex, s, op.dy.as<T>(),
                   GradientStore<T>(op.d));
        });
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
