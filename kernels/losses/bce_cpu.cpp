#include "kernels/losses/bce.h"

#include "kernels/base/on_type.h"
#include "kernels/base/parallel.h"
#include "kernels/losses/bce_ref.h"
#include "kernels/pointwise/epilogue_cpu.h"

namespace bifrons::kernels::cpu {

namespace {

template <class T>
struct Operands {
    const T *x, *target, *mask; // the last two may be null
};

template <class T>
Operands<T> operands(ConstView x, ConstView target, ConstView mask)
{
    return {x.as<T>(), target.as<T>(), mask.as<T>()};
}

template <class T>
void fwd(const BceShape& s, const Operands<T>& of, float scale, T* loss)
{
    const double sum = parallel_sum(s.rows * s.C, [&](std::int64_t begin, std::int64_t end) {
        double piece = 0;
        for (std::int64_t i = begin; i < end; ++i)
            piece += double(of.mask ? of.mask[i / s.C] : T(1)) *
                     double(ref::cross_entropy(of.x[i], of.target ? of.target[i] : T(s.label)));
        return piece;
    });
    *loss = T(scale * sum / (double(s.rows) * double(s.C)));
}

template <class T>
void grad(const BceShape& s, const Operands<T>& of, float scale, const T* upstream, const Store& d)
{
    constexpr std::int64_t kRun = 1024;
    const T factor = T(double(*upstream) * scale / (double(s.rows) * double(s.C)));
    parallel_for(s.rows * s.C, kRun, [&](std::int64_t begin, std::int64_t end) {
        T v[kRun];
        for (std::int64_t i = begin; i < end; ++i)
            v[i - begin] = factor * (of.mask ? of.mask[i / s.C] : T(1)) *
                           ref::cross_entropy_slope(of.x[i], of.target ? of.target[i] : T(s.label));
        store_gradient_run(d, begin, end - begin, v);
    });
}

} // namespace

void run(Exec, const BceFwd& op)
{
    on_type<float, double>(
        op.x.dtype, [&]<class T>() { fwd(op.s, operands<T>(op.x, op.target, op.mask), op.scale, op.loss.as<T>()); });
}

void run(Exec, const BceGrad& op)
{
    on_type<float, double>(op.x.dtype, [&]<class T>() {
        grad(op.s, operands<T>(op.x, op.target, op.mask), op.scale, op.upstream.as<T>(), op.d);
    });
}

} // namespace bifrons::kernels::cpu
