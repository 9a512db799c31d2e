#include "kernels/losses/adversarial.h"

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

void run(Exec, const AdversarialFwd& op)
{
    on_type<float, double>(op.x.dtype, [&]<class T>() { fwd(op.s, op.x.as<T>(), op.scale, op.loss.as<T>()); });
}

void run(Exec, const AdversarialGrad& op)
{
    on_type<float, double>(op.x.dtype,
                           [&]<class T>() { grad(op.s, op.x.as<T>(), op.scale, op.upstream.as<T>(), op.d); });
}

} // namespace bifrons::kernels::cpu
