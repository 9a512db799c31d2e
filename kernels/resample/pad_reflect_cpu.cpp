#include "kernels/resample/pad_reflect.h"

#include "kernels/base/host_storage.h"
#include "kernels/base/on_type.h"
#include "kernels/base/parallel.h"
#include "kernels/pointwise/epilogue_cpu.h"

namespace bifrons::kernels::cpu {

namespace {

constexpr std::int64_t kBlock = 64; // channels whose sums are kept on the stack

template <class T>
void fwd(const PadReflectShape& s, const T* x, T* y)
{
    const std::int64_t P = s.P(), Q = s.Q();
    parallel_for(s.N * P, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            const T* from = x + (row / P * s.H + mirrored(row % P, s.pad, s.H)) * s.W * s.C;
            for (std::int64_t q = 0; q < Q; ++q)
                std::copy_n(from + mirrored(q, s.pad, s.W) * s.C, s.C, y + (row * Q + q) * s.C);
        }
    });
}

/// sum[0, n) += dy over all places that show a pixel; dy is the sample's, from the first of the channels.
template <class T>
void add_mirrors(const PadReflectShape& s, const Mirrors& rows, const Mirrors& columns, std::int64_t n, const T* dy,
                 Wide<T>* sum)
{
    for (const std::int64_t p : rows.at)
        for (const std::int64_t q : columns.at) {
            if (p < 0 || q < 0) continue;
            const T* from = dy + (p * s.Q() + q) * s.C;
            for (std::int64_t c = 0; c < n; ++c) sum[c] += Wide<T>(from[c]);
        }
}

template <class T>
void grad(const PadReflectShape& s, const T* dy, const Store& d)
{
    parallel_for(s.N * s.H, 1, [&](std::int64_t begin, std::int64_t end) {
        Wide<T> sum[kBlock];
        for (std::int64_t pixel = begin * s.W; pixel < end * s.W; ++pixel) {
            const T* sample = dy + pixel / s.W / s.H * s.P() * s.Q() * s.C;
            const Mirrors rows = mirrors_of(pixel / s.W % s.H, s.pad, s.H),
                          columns = mirrors_of(pixel % s.W, s.pad, s.W);
            for (std::int64_t c0 = 0; c0 < s.C; c0 += kBlock) {
                const std::int64_t n = std::min(kBlock, s.C - c0);
                std::fill_n(sum, n, Wide<T>(0));
                add_mirrors(s, rows, columns, n, sample + c0, sum);
                store_gradient_run(d, pixel * s.C + c0, n, sum);
            }
        }
    });
}

} // namespace

void run(Exec, const PadReflectFwd& op)
{
    on_type<float, bf16, double>(op.x.dtype, [&]<class T>() { fwd(op.s, op.x.as<T>(), op.y.as<T>()); });
}

void run(Exec, const PadReflectGrad& op)
{
    on_type<float, bf16, double>(op.dy.dtype, [&]<class T>() { grad(op.s, op.dy.as<T>(), op.d); });
}

} // namespace bifrons::kernels::cpu
