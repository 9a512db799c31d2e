#include "kernels/resample/upsample_nearest.h"

#include "kernels/base/host_storage.h"
#include "kernels/base/on_type.h"
#include "kernels/base/parallel.h"
#include "kernels/pointwise/epilogue_cpu.h"

namespace bifrons::kernels::cpu {

namespace {

constexpr std::int64_t kBlock = 64; // channels whose sums are kept on the stack

template <class T>
void fwd(const UpsampleNearestShape& s, const T* x, T* y)
{
    const std::int64_t f = s.factor, row_size = f * s.W * s.C;
    parallel_for(s.N * s.H, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            T* first = y + row * f * row_size;
            for (std::int64_t q = 0; q < f * s.W; ++q) std::copy_n(x + (row * s.W + q / f) * s.C, s.C, first + q * s.C);
            for (std::int64_t i = 1; i < f; ++i) std::copy_n(first, row_size, first + i * row_size);
        }
    });
}

template <class T>
void grad(const UpsampleNearestShape& s, const T* dy, const Store& d)
{
    const std::int64_t f = s.factor;
    parallel_for(s.N * s.H, 1, [&](std::int64_t begin, std::int64_t end) {
        Wide<T> sum[kBlock];
        for (std::int64_t pixel = begin * s.W; pixel < end * s.W; ++pixel) {
            const T* corner = dy + (pixel / s.W * f * s.W + pixel % s.W) * f * s.C;
            for (std::int64_t c0 = 0; c0 < s.C; c0 += kBlock) {
                const std::int64_t block = std::min(kBlock, s.C - c0);
                std::fill_n(sum, block, Wide<T>(0));
                for (std::int64_t i = 0; i < f; ++i)
                    for (std::int64_t j = 0; j < f; ++j) {
                        const T* from = corner + (i * f * s.W + j) * s.C + c0;
                        for (std::int64_t c = 0; c < block; ++c) sum[c] += Wide<T>(from[c]);
                    }
                store_gradient_run(d, pixel * s.C + c0, block, sum);
            }
        }
    });
}

} // namespace

void run(Exec, const UpsampleNearestFwd& op)
{
    on_type<float, bf16, double>(op.x.dtype, [&]<class T>() { fwd(op.s, op.x.as<T>(), op.y.as<T>()); });
}

void run(Exec, const UpsampleNearestGrad& op)
{
    on_type<float, bf16, double>(op.dy.dtype, [&]<class T>() { grad(op.s, op.dy.as<T>(), op.d); });
}

} // namespace bifrons::kernels::cpu
