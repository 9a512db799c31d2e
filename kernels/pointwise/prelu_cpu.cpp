#include "kernels/pointwise/prelu.h"

#include "kernels/base/clones.h"
#include "kernels/base/on_type.h"
#include "kernels/base/parallel.h"
#include "kernels/pointwise/prelu_ref.h"

namespace bifrons::kernels::cpu {

namespace {

template <class T>
__attribute__((always_inline)) inline void rows(const PreluShape& s, std::int64_t begin, std::int64_t end, const T* x,
                                                const T* add, const T* slope, T* y)
{
    for (std::int64_t row = begin; row < end; ++row) {
        const T *const from = x + row * s.C, *const added = add + row * s.A;
        T* const to = y + row * s.C;
        for (std::int64_t c = 0; c < s.A; ++c) to[c] = ref::prelu(from[c] + added[c], slope[c]);
        for (std::int64_t c = s.A; c < s.C; ++c) to[c] = ref::prelu(from[c], slope[c]);
    }
}

BIFRONS_CLONES void run_rows(const PreluShape& s, std::int64_t begin, std::int64_t end, const float* x,
                             const float* add, const float* slope, float* y)
{
    rows(s, begin, end, x, add, slope, y);
}

BIFRONS_CLONES void run_rows(const PreluShape& s, std::int64_t begin, std::int64_t end, const double* x,
                             const double* add, const double* slope, double* y)
{
    rows(s, begin, end, x, add, slope, y);
}

} // namespace

void run(Exec, const Prelu& op)
{
    constexpr std::int64_t kRows = 64;
    on_type<float, double>(op.x.dtype, [&]<class T>() {
        parallel_for(op.s.rows, kRows, [&](std::int64_t begin, std::int64_t end) {
            run_rows(op.s, begin, end, op.x.as<T>(), op.add.as<T>(), op.slope.as<T>(), op.y.as<T>());
        });
    });
}

} // namespace bifrons::kernels::cpu
