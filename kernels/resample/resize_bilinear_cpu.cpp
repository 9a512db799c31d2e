#include "kernels/resample/resize_bilinear_cpu.h"

#include "kernels/base/parallel.h"
#include "kernels/pointwise/epilogue_cpu.h"
#include "kernels/resample/resize_bilinear_ref.h"

namespace bifrons::kernels::cpu {

namespace {

constexpr std::int64_t kBlock = 64; // channels whose sums are kept on the stack

template <class T>
void fwd(const ResizeBilinearShape& s, const T* x, T* y)
{
    parallel_for(s.N * s.P, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            const auto h = ref::linear_tap<T>(row % s.P, s.H, s.P);
            const T *low = x + (row / s.P * s.H + h.low) * s.W * s.C, *high = low + (h.high - h.low) * s.W * s.C;
            for (std::int64_t q = 0; q < s.Q; ++q) {
                const auto w = ref::linear_tap<T>(q, s.W, s.Q);
                const std::int64_t a = w.low * s.C, b = w.high * s.C;
                T* to = y + (row * s.Q + q) * s.C;
                for (std::int64_t c = 0; c < s.C; ++c)
                    to[c] = (1 - h.t) * ((1 - w.t) * low[a + c] + w.t * low[b + c]) +
                            h.t * ((1 - w.t) * high[a + c] + w.t * high[b + c]);
            }
        }
    });
}

template <class T>
void grad(const ResizeBilinearShape& s, const T* dy, const Store& d)
{
    parallel_for(s.N * s.H, 1, [&](std::int64_t begin, std::int64_t end) {
        T sum[kBlock];
        for (std::int64_t pixel = begin * s.W; pixel < end * s.W; ++pixel) {
            const std::int64_t w = pixel % s.W, h = pixel / s.W % s.H, n = pixel / s.W / s.H;
            const ref::Outputs rows = ref::outputs_of(h, s.H, s.P), cols = ref::outputs_of(w, s.W, s.Q);
            for (std::int64_t c0 = 0; c0 < s.C; c0 += kBlock) {
                const std::int64_t block = std::min(kBlock, s.C - c0);
                std::fill_n(sum, block, T(0));
                for (std::int64_t p = rows.first; p < rows.end; ++p)
                    for (std::int64_t q = cols.first; q < cols.end; ++q) {
                        const T weight =
                            ref::linear_tap<T>(p, s.H, s.P).weight(h) * ref::linear_tap<T>(q, s.W, s.Q).weight(w);
                        const T* from = dy + ((n * s.P + p) * s.Q + q) * s.C + c0;
                        for (std::int64_t c = 0; c < block; ++c) sum[c] += weight * from[c];
                    }
                store_gradient_run(d, pixel * s.C + c0, block, sum);
            }
        }
    });
}

} // namespace

void resize_bilinear_fwd(const ResizeBilinearShape& s, ConstView x, View y)
{
    if (x.dtype == DType::f64) return fwd(s, x.as<double>(), y.as<double>());
    fwd(s, x.as<float>(), y.as<float>());
}

void resize_bilinear_grad(const ResizeBilinearShape& s, ConstView dy, const Store& d)
{
    if (dy.dtype == DType::f64) return grad(s, dy.as<double>(), d);
    grad(s, dy.as<float>(), d);
}

} // namespace bifrons::kernels::cpu
