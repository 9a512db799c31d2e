#include "kernels/resample/resize_bilinear.h"

#include "kernels/base/host_storage.h"
#include "kernels/base/on_type.h"
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
            const auto h = ref::linear_tap<Wide<T>>(row % s.P, s.H, s.P);
            const T *low = x + (row / s.P * s.H + h.low) * s.W * s.C, *high = low + (h.high - h.low) * s.W * s.C;
            for (std::int64_t q = 0; q < s.Q; ++q) {
                const auto w = ref::linear_tap<Wide<T>>(q, s.W, s.Q);
                const std::int64_t a = w.low * s.C, b = w.high * s.C;
                T* to = y + (row * s.Q + q) * s.C;
                const auto between = [&](const T* line, std::int64_t c) {
                    return (1 - w.t) * Wide<T>(line[a + c]) + w.t * Wide<T>(line[b + c]);
                };
                for (std::int64_t c = 0; c < s.C; ++c)
                    to[c] = stored<T>((1 - h.t) * between(low, c) + h.t * between(high, c));
            }
        }
    });
}

template <class T>
void grad(const ResizeBilinearShape& s, const T* dy, const Store& d)
{
    parallel_for(s.N * s.H, 1, [&](std::int64_t begin, std::int64_t end) {
        Wide<T> sum[kBlock];
        for (std::int64_t pixel = begin * s.W; pixel < end * s.W; ++pixel) {
            const std::int64_t w = pixel % s.W, h = pixel / s.W % s.H, n = pixel / s.W / s.H;
            const ref::Outputs rows = ref::outputs_of(h, s.H, s.P), cols = ref::outputs_of(w, s.W, s.Q);
            for (std::int64_t c0 = 0; c0 < s.C; c0 += kBlock) {
                const std::int64_t block = std::min(kBlock, s.C - c0);
                std::fill_n(sum, block, Wide<T>(0));
                for (std::int64_t p = rows.first; p < rows.end; ++p)
                    for (std::int64_t q = cols.first; q < cols.end; ++q) {
                        const auto weight = ref::linear_tap<Wide<T>>(p, s.H, s.P).weight(h) *
                                            ref::linear_tap<Wide<T>>(q, s.W, s.Q).weight(w);
                        const T* from = dy + ((n * s.P + p) * s.Q + q) * s.C + c0;
                        for (std::int64_t c = 0; c < block; ++c) sum[c] += weight * Wide<T>(from[c]);
                    }
                store_gradient_run(d, pixel * s.C + c0, block, sum);
            }
        }
    });
}

} // namespace

void run(Exec, const ResizeBilinearFwd& op)
{
    on_type<float, bf16, double>(op.x.dtype, [&]<class T>() { fwd(op.s, op.x.as<T>(), op.y.as<T>()); });
}

void run(Exec, const ResizeBilinearGrad& op)
{
    on_type<float, bf16, double>(op.dy.dtype, [&]<class T>() { grad(op.s, op.dy.as<T>(), op.d); });
}

} // namespace bifrons::kernels::cpu
