#include "kernels/color/color_affine.h"

#include "kernels/base/host_storage.h"
#include "kernels/base/on_type.h"
#include "kernels/base/parallel.h"
#include "kernels/color/color_affine_ref.h"
#include "kernels/pointwise/epilogue_cpu.h"

#include <algorithm>

namespace bifrons::kernels::cpu {

namespace {

constexpr std::int64_t kRun = 256; // pixels, mapped on the stack

/// Y: of the mapped picture.
template <class Y>
void fwd(std::int64_t pixels, const ColorAffine& map, const Wide<Y>* x, const Wide<Y>* mask, Y* y)
{
    parallel_for(pixels, kRun, [&](std::int64_t begin, std::int64_t end) {
        Wide<Y> v[3 * kRun];
        ref::color_affine_fwd(end - begin, map, x + 3 * begin, mask ? mask + begin : nullptr, v);
        std::transform(v, v + 3 * (end - begin), y + 3 * begin, stored<Y>);
    });
}

template <class Y>
void grad(std::int64_t pixels, const ColorAffine& map, const Y* dy, const Wide<Y>* mask, const Store& d)
{
    parallel_for(pixels, kRun, [&](std::int64_t begin, std::int64_t end) {
        Wide<Y> slope[3 * kRun], v[3 * kRun];
        std::transform(dy + 3 * begin, dy + 3 * end, slope, [](Y value) { return Wide<Y>(value); });
        ref::color_affine_grad(end - begin, map, slope, mask ? mask + begin : nullptr, v);
        store_gradient_run(d, 3 * begin, 3 * (end - begin), v);
    });
}

} // namespace

void run(Exec, const ColorAffineFwd& op)
{
    on_type<float, bf16, double>(op.y.dtype, [&]<class Y>() {
        fwd(op.pixels, op.map, op.x.as<Wide<Y>>(), op.mask.as<Wide<Y>>(), op.y.as<Y>());
    });
}

void run(Exec, const ColorAffineGrad& op)
{
    on_type<float, bf16, double>(
        op.dy.dtype, [&]<class Y>() { grad(op.pixels, op.map, op.dy.as<Y>(), op.mask.as<Wide<Y>>(), op.d); });
}

} // namespace bifrons::kernels::cpu
