#include "kernels/color/color_affine_cpu.h"

#include "kernels/base/parallel.h"
#include "kernels/color/color_affine_ref.h"
#include "kernels/pointwise/epilogue_cpu.h"

namespace bifrons::kernels::cpu {

namespace {

constexpr std::int64_t kGrain = 4096, kRun = 256; // pixels

template <class T>
void fwd(std::int64_t pixels, const ColorAffine& map, const T* x, const T* mask, T* y)
{
    parallel_for(pixels, kGrain, [&](std::int64_t begin, std::int64_t end) {
        ref::color_affine_fwd(end - begin, map, x + 3 * begin, mask ? mask + begin : nullptr, y + 3 * begin);
    });
}

template <class T>
void grad(std::int64_t pixels, const ColorAffine& map, const T* dy, const T* mask, const Store& d)
{
    parallel_for(pixels, kRun, [&](std::int64_t begin, std::int64_t end) {
        T v[3 * kRun];
        ref::color_affine_grad(end - begin, map, dy + 3 * begin, mask ? mask + begin : nullptr, v);
        store_gradient_run(d, 3 * begin, 3 * (end - begin), v);
    });
}

} // namespace

void color_affine_fwd(std::int64_t pixels, const ColorAffine& map, ConstView x, ConstView mask, View y)
{
    if (x.dtype == DType::f64) return fwd(pixels, map, x.as<double>(), mask.as<double>(), y.as<double>());
    fwd(pixels, map, x.as<float>(), mask.as<float>(), y.as<float>());
}

void color_affine_grad(std::int64_t pixels, const ColorAffine& map, ConstView dy, ConstView mask, const Store& d)
{
    if (dy.dtype == DType::f64) return grad(pixels, map, dy.as<double>(), mask.as<double>(), d);
    grad(pixels, map, dy.as<float>(), mask.as<float>(), d);
}

} // namespace bifrons::kernels::cpu
