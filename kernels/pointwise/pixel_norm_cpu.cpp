#include "kernels/pointwise/pixel_norm_cpu.h"

#include "kernels/base/parallel.h"
#include "kernels/pointwise/epilogue_cpu.h"
#include "kernels/pointwise/pixel_norm_ref.h"

namespace bifrons::kernels::cpu {

namespace {

// One thread a sample: a sample is small beside the layers around it, and its sum has one order.

template <class T>
void fwd(const PixelNormShape& s, const T* x, T* y)
{
    parallel_for(s.N, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t first = begin * s.F; first < end * s.F; first += s.F) {
            const T r = T(ref::inverse_rms(s.F, x + first));
            for (std::int64_t i = first; i < first + s.F; ++i) y[i] = r * x[i];
        }
    });
}

template <class T>
void grad_of_sample(std::int64_t n, std::int64_t first, const T* dy, const T* x, const Store& d)
{
    constexpr std::int64_t kRun = 1024;
    const double r = ref::inverse_rms(n, x + first);
    const T scale = T(r), along = T(r * r * ref::mean_of_products(n, dy + first, x + first));
    T v[kRun];
    for (std::int64_t begin = first; begin < first + n; begin += kRun) {
        const std::int64_t run = std::min(kRun, first + n - begin);
        for (std::int64_t i = 0; i < run; ++i) v[i] = scale * (dy[begin + i] - along * x[begin + i]);
        store_gradient_run(d, begin, run, v);
    }
}

template <class T>
void grad(const PixelNormShape& s, const T* dy, const T* x, const Store& d)
{
    parallel_for(s.N, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t sample = begin; sample < end; ++sample) grad_of_sample(s.F, sample * s.F, dy, x, d);
    });
}

} // namespace

void pixel_norm_fwd(const PixelNormShape& s, ConstView x, View y)
{
    if (x.dtype == DType::f64) return fwd(s, x.as<double>(), y.as<double>());
    fwd(s, x.as<float>(), y.as<float>());
}

void pixel_norm_grad(const PixelNormShape& s, ConstView dy, ConstView x, const Store& d)
{
    if (dy.dtype == DType::f64) return grad(s, dy.as<double>(), x.as<double>(), d);
    grad(s, dy.as<float>(), x.as<float>(), d);
}

} // namespace bifrons::kernels::cpu
