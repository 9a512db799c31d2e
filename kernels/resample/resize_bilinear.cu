// kernels/resample/resize_bilinear.cu - bilinear resizing. A packet of channels a thread: forward of y; backward of x,
// which gathers from the outputs it is in. Limit: memory bandwidth.
#include "kernels/resample/resize_bilinear.h"

#include "kernels/device/simt.h"
#include "kernels/device/storage.h"
#include "kernels/pointwise/store.cuh"
#include "kernels/resample/resize_bilinear_ref.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

template <class T, int N>
__global__ void __launch_bounds__(kBlockSize) resize_bilinear_kernel(ResizeBilinearShape s, const T* x, T* y)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread() * N;
    if (i >= s.y_size()) return;
    const auto [n, p, q, c] = packet_place<N>(s.P, s.Q, s.C);
    const auto h = ref::linear_tap<float>(p, s.H, s.P), w = ref::linear_tap<float>(q, s.W, s.Q);
    const T *low = x + (n * s.H + h.low) * s.W * s.C + c, *high = x + (n * s.H + h.high) * s.W * s.C + c;
    float a[N], b[N], v[N];
    load_packet(low + w.low * s.C, a);
    load_packet(low + w.high * s.C, b);
    for (int k = 0; k < N; ++k) v[k] = (1 - h.t) * ((1 - w.t) * a[k] + w.t * b[k]);
    load_packet(high + w.low * s.C, a);
    load_packet(high + w.high * s.C, b);
    for (int k = 0; k < N; ++k) v[k] += h.t * ((1 - w.t) * a[k] + w.t * b[k]);
    store_packet(y + i, v);
}

template <class T, int N>
__global__ void __launch_bounds__(kBlockSize)
    resize_bilinear_grad_kernel(ResizeBilinearShape s, const T* dy, GradientStore<T> d)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread() * N;
    if (i >= s.x_size()) return;
    const auto [n, h, w, c] = packet_place<N>(s.H, s.W, s.C);
    const ref::Outputs rows = ref::outputs_of(h, s.H, s.P), columns = ref::outputs_of(w, s.W, s.Q);
    float sum[N] = {};
    for (std::int64_t p = rows.first; p < rows.end; ++p) {
        const float of_row = ref::linear_tap<float>(p, s.H, s.P).weight(h);
        for (std::int64_t q = columns.first; q < columns.end; ++q) {
            const float weight = of_row * ref::linear_tap<float>(q, s.W, s.Q).weight(w);
            float v[N];
            load_packet(dy + ((n * s.P + p) * s.Q + q) * s.C + c, v);
            for (int k = 0; k < N; ++k) sum[k] += weight * v[k];
        }
    }
    d.store(i, sum);
}

} // namespace

void run(Exec ex, const ResizeBilinearFwd& op)
{
    const ResizeBilinearShape& s = op.s;
    on_storage(op.kName, op.x.dtype, [&]<class T>() {
        on_packets<T>(s.C, {op.x, op.y}, [&]<int N>() {
            launch(op.kName, resize_bilinear_kernel<T, N>, grid_of_packets<N>(s.y_size()), ex, s, op.x.as<T>(),
                   op.y.as<T>());
        });
    });
}

void run(Exec ex, const ResizeBilinearGrad& op)
{
    const ResizeBilinearShape& s = op.s;
    on_storage(op.kName, op.dy.dtype, [&]<class T>() {
        on_packets<T>(s.C, {op.dy, op.d.out, op.d.add, op.d.saved}, [&]<int N>() {
            launch(op.kName, resize_bilinear_grad_kernel<T, N>, grid_of_packets<N>(s.x_size()), ex, s, op.dy.as<T>(),
                   GradientStore<T>(op.d));
        });
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
