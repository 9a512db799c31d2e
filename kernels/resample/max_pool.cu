// kernels/resample/max_pool.cu - max pooling. A packet of channels a thread: forward of y, which looks at its window;
// backward of x, which asks every window over it. Limit: memory bandwidth.
#include "kernels/resample/max_pool.h"

#include "kernels/device/simt.h"
#include "kernels/device/storage.h"
#include "kernels/pointwise/store.cuh"
#include "kernels/resample/windows.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

template <int N>
using Indices = Packet<std::uint8_t, N>;

template <class T, int N>
__global__ void __launch_bounds__(kBlockSize)
    max_pool_kernel(MaxPoolShape s, std::int64_t P, std::int64_t Q, const T* x, T* y, std::uint8_t* index)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread() * N;
    if (i >= s.N * P * Q * s.C) return;
    const auto [n, p, q, c] = packet_place<N>(P, Q, s.C);
    const T* corner = x + ((n * s.H + p * s.stride) * s.W + q * s.stride) * s.C + c;
    float best[N];
    Indices<N> at = {};
    load_packet(corner, best);
    const int rows = int(s.reach(p * s.stride, s.H)), columns = int(s.reach(q * s.stride, s.W));
    for (int r = 0; r < rows; ++r)
        for (int column = 0; column < columns; ++column) { // the first once more: it is not larger than itself
            const int tap = r * int(s.window) + column;
            float v[N];
            load_packet(corner + (r * s.W + column) * s.C, v);
            for (int k = 0; k < N; ++k) {
                const bool larger = v[k] > best[k] || (v[k] != v[k] && best[k] == best[k]);
                best[k] = larger ? v[k] : best[k];
                at.element[k] = larger ? std::uint8_t(tap) : at.element[k];
            }
        }
    store_packet(y + i, best);
    *reinterpret_cast<Indices<N>*>(index + i) = at;
}

template <class T, int N>
__global__ void __launch_bounds__(kBlockSize)
    max_pool_grad_kernel(MaxPoolShape s, std::int64_t P, std::int64_t Q, const T* dy, const std::uint8_t* index,
                         GradientStore<T> d)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread() * N;
    if (i >= s.x_size()) return;
    const auto [n, h, w, c] = packet_place<N>(s.H, s.W, s.C);
    const Windows rows = windows_over(h, s.window, s.stride, P);
    const Windows columns = windows_over(w, s.window, s.stride, Q);
    float sum[N] = {};
    for (std::int64_t p = rows.first; p < rows.end; ++p)
        for (std::int64_t q = columns.first; q < columns.end; ++q) {
            const std::int64_t from = ((n * P + p) * Q + q) * s.C + c;
            const Indices<N> at = *reinterpret_cast<const Indices<N>*>(index + from);
            const int here = int((h - p * s.stride) * s.window + w - q * s.stride);
            float v[N];
            load_packet(dy + from, v);
            for (int k = 0; k < N; ++k) sum[k] += at.element[k] == here ? v[k] : 0.0f;
        }
    d.store(i, sum);
}

} // namespace

void run(Exec ex, const MaxPoolFwd& op)
{
    const MaxPoolShape& s = op.s;
    on_storage(op.kName, op.x.dtype, [&]<class T>() {
        on_packets<T>(s.C, {op.x, op.y, op.index}, [&]<int N>() {
            launch(op.kName, max_pool_kernel<T, N>, grid_of_packets<N>(s.y_size()), ex, s, s.P(), s.Q(), op.x.as<T>(),
                   op.y.as<T>(), op.index.as<std::uint8_t>());
        });
    });
}

void run(Exec ex, const MaxPoolGrad& op)
{
    const MaxPoolShape& s = op.s;
    on_storage(op.kName, op.dy.dtype, [&]<class T>() {
        on_packets<T>(s.C, {op.dy, op.index, op.d.out, op.d.add, op.d.saved}, [&]<int N>() {
            launch(op.kName, max_pool_grad_kernel<T, N>, grid_of_packets<N>(s.x_size()), ex, s, s.P(), s.Q(),
                   op.dy.as<T>(), op.index.as<std::uint8_t>(), GradientStore<T>(op.d));
        });
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
