#include "kernels/pointwise/pixel_norm.h"

#include "kernels/base/host_storage.h"
#include "kernels/base/on_type.h"
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
            const auto r = Wide<T>(ref::inverse_rms(s.F, x + first));
            for (std::int64_t i = first; i < first + s.F; ++i) y[i] = stored<T>(r * Wide<T>(x[i]));
        }
    });
}

template <class T>
void grad_of_sample(std::int64_t n, std::int64_t first, const T* dy, const T* x, const Store& d)
{
    constexpr std::int64_t kRun = 1024;
    const double r = ref::inverse_rms(n, x + first);
    const auto scale = Wide<T>(r), along = Wide<T>(r * r * ref::mean_of_products(n, dy + first, x + first));
    Wide<T> v[kRun];
    for (std::int64_t begin = first; begin < first + n; begin += kRun) {
        const std::int64_t run = std::min(kRun, first + n - begin);
        for (std::int64_t i = 0; i < run; ++i) v[i] = scale * (Wide<T>(dy[begin + i]) - along * Wide<T>(x[begin + i]));
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

void run(Exec, const PixelNormFwd& op)
{
    on_type<float, bf16, double>(op.x.dtype, [&]<class T>() { fwd(op.s, op.x.as<T>(), op.y.as<T>()); });
}

void run(Exec, const PixelNormGrad& op)
{
    on_type<float, bf16, double>(op.dy.dtype, [&]<class T>() { grad(op.s, op.dy.as<T>(), op.x.as<T>(), op.d); });
}

} // namespace bifrons::kernels::cpu
