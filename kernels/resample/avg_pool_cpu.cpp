#include "kernels/resample/avg_pool.h"

#include "kernels/base/on_type.h"
#include "kernels/resample/windows_cpu.h"

namespace bifrons::kernels::cpu {

namespace {

constexpr std::int64_t kBlock = 64; // channels whose sums are kept on the stack

template <class T>
Wide<T> weight(const AvgPoolShape& s)
{
    return Wide<T>(1) / Wide<T>(s.window * s.window);
}

template <class T>
void add_run(const T* from, std::int64_t n, Wide<T>* sum)
{
    for (std::int64_t c = 0; c < n; ++c) sum[c] += Wide<T>(from[c]);
}

template <class T>
void fwd(const AvgPoolShape& s, const T* x, T* y)
{
    const std::int64_t P = s.P(), Q = s.Q();
    parallel_for(s.N * P, 1, [&](std::int64_t begin, std::int64_t end) {
        Wide<T> sum[kBlock];
        for (std::int64_t pixel = begin * Q; pixel < end * Q; ++pixel) {
            const std::int64_t q = pixel % Q, p = pixel / Q % P, n = pixel / Q / P;
            const T* corner = x + ((n * s.H + p * s.stride) * s.W + q * s.stride) * s.C;
            for (std::int64_t c0 = 0; c0 < s.C; c0 += kBlock) {
                const std::int64_t block = std::min(kBlock, s.C - c0);
                std::fill_n(sum, block, Wide<T>(0));
                for (std::int64_t i = 0; i < s.window * s.window; ++i)
                    add_run(corner + (i / s.window * s.W + i % s.window) * s.C + c0, block, sum);
                for (std::int64_t c = 0; c < block; ++c) y[pixel * s.C + c0 + c] = stored<T>(sum[c] * weight<T>(s));
            }
        }
    });
}

template <class T>
void grad(const AvgPoolShape& s, const T* dy, const Store& d)
{
    store_window_sums<T>(s, weight<T>(s), d, [=](std::int64_t from, std::int64_t, std::int64_t n, Wide<T>* sum) {
        add_run(dy + from, n, sum);
    });
}

} // namespace

void run(Exec, const AvgPoolFwd& op)
{
    on_type<float, bf16, double>(op.x.dtype, [&]<class T>() { fwd(op.s, op.x.as<T>(), op.y.as<T>()); });
}

void run(Exec, const AvgPoolGrad& op)
{
    on_type<float, bf16, double>(op.dy.dtype, [&]<class T>() { grad(op.s, op.dy.as<T>(), op.d); });
}

} // namespace bifrons::kernels::cpu
