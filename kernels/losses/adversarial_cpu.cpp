#include "kernels/losses/adversarial_cpu.h"

#include "kernels/base/on_type.h"
#include "kernels/base/parallel.h"
#include "kernels/losses/adversarial_ref.h"
#include "kernels/pointwise/epilogue_cpu.h"

namespace bifrons::kernels::cpu {

namespace {

template <class T>
void fwd(const AdversarialShape& s, const T* x, float scale, T* loss)
{
    const double sum = parallel_sum(s.n, [&](std::int64_t begin, std::int64_t end) {
        double piece = 0;
        for (std::int64_t i = begin; i < end; ++i) piece += double(ref::adversarial(s.loss, s.wanted, x[i]));
        return piece;
    });
    *loss = T(scale * sum / double(s.n));
}

template <class T>
void grad(const AdversarialShape& s, const T* x, float scale, const T* upstream, const Store& d)
{
    constexpr std::int64_t kRun = 1024;
    const T factor = T(double(*upstream) * scale / double(s.n));
    parallel_for(s.n, kRun, [&](std::int64_t begin, std::int64_t end) {
        T v[kRun];
        for (std::int64_t i = begin; i < end; ++i)
            v[i - begin] = factor * ref::adversarial_slope(s.loss, s.wanted, x[i]);
        store_gradient_run(d, begin, end - begin, v);
    });
}

} // namespace

void adversarial_fwd(const AdversarialShape& s, ConstView x, float scale, View loss)
{
    on_type<float, double>(x.dtype, [&]<class T>() { fwd(s, x.as<T>(), scale, loss.as<T>()); });
}

void adversarial_grad(const AdversarialShape& s, ConstView x, float scale, ConstView upstream, const Store& d)
{
    on_type<float, double>(x.dtype, [&]<class T>() { grad(s, x.as<T>(), scale, upstream.as<T>(), d); });
}

} // namespace bifrons::kernels::cpu
