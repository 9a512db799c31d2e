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

void pad_reflect_fwd(Exec ex, const PadReflectShape& s, ConstView x, View y)
{
    on_storage("pad_reflect_fwd", x.dtype, [&]<class T>() {
        on_packets<T>(s.C, {x, y}, [&]<int N>() {
            launch("pad_reflect_fwd", pad_reflect_kernel<T, N>, grid_of_packets<N>(s.y_size()), ex, s, x.as<T>(),
                   y.as<T>());
        });
    });
}

void pad_reflect_grad(Exec ex, const PadReflectShape& s, ConstView dy, const Store& d)
{
    on_storage("pad_reflect_grad", dy.dtype, [&]<class T>() {
        on_packets<T>(s.C, {dy, d.out, d.add, d.saved}, [&]<int N>() {
            launch("pad_reflect_grad", pad_reflect_grad_kernel<T, N>, grid_of_packets<N>(s.x_size()), ex, s, dy.as<T>(),
                   GradientStore<T>(d));
        });
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
