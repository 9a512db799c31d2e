#include "kernels/pointwise/mask_pixels.h"

#include "kernels/base/on_type.h"
#include "kernels/base/parallel.h"
#include "kernels/pointwise/epilogue_cpu.h"
#include "kernels/pointwise/mask_pixels_ref.h"

namespace bifrons::kernels::cpu {

namespace {

template <class T>
void masked(const MaskShape& s, const T* x, const T* m, const Store& d)
{
    constexpr std::int64_t kRun = 1024;
    parallel_for(s.rows * s.C, kRun, [&](std::int64_t begin, std::int64_t end) {
        T v[kRun];
        for (std::int64_t row = begin / s.C, i = begin; i < end; ++row) {
            const T weight = ref::mask_weight(s.side, m[row]);
            for (const std::int64_t row_end = std::min(end, (row + 1) * s.C); i < row_end; ++i)
                v[i - begin] = weight * x[i];
        }
        store_gradient_run(d, begin, end - begin, v);
    });
}

} // namespace

void run(Exec, const MaskPixels& op)
{
    on_type<float, double>(op.x.dtype, [&]<class T>() { masked(op.s, op.x.as<T>(), op.m.as<T>(), op.d); });
}

} // namespace bifrons::kernels::cpu
