#include "kernels/losses/total_variation.h"

#include "kernels/base/on_type.h"
#include "kernels/base/parallel.h"
#include "kernels/losses/total_variation_ref.h"
#include "kernels/pointwise/epilogue_cpu.h"

namespace bifrons::kernels::cpu {

namespace {

template <class T>
void fwd(const TotalVariationShape& s, const T* p, float scale, T* loss)
{
    const double sum = parallel_sum(s.size(), [&](std::int64_t begin, std::int64_t end) {
        double piece = 0;
        for (std::int64_t i = begin; i < end; ++i)
            piece += double(ref::variation_ahead(s, p, i, i / s.C / s.W % s.H, i / s.C % s.W));
        return piece;
    });
    *loss = T(scale * sum / double(s.N));
}

template <class T>
void grad(const TotalVariationShape& s, const T* p, float scale, const T* upstream, const Store& d)
{
    constexpr std::int64_t kRun = 1024;
    const T factor = T(double(*upstream) * 2 * scale / double(s.N));
    parallel_for(s.size(), kRun, [&](std::int64_t begin, std::int64_t end) {
        T v[kRun];
        for (std::int64_t i = begin; i < end; ++i)
            v[i - begin] = factor * ref::variation_slope(s, p, i, i / s.C / s.W % s.H, i / s.C % s.W);
        store_gradient_run(d, begin, end - begin, v);
    });
}

} // namespace

void run(Exec, const TotalVariationFwd& op)
{
    on_type<float, double>(op.p.dtype, [&]<class T>() { fwd(op.s, op.p.as<T>(), op.scale, op.loss.as<T>()); });
}

void run(Exec, const TotalVariationGrad& op)
{
    on_type<float, double>(op.p.dtype,
                           [&]<class T>() { grad(op.s, op.p.as<T>(), op.scale, op.upstream.as<T>(), op.d); });
}

} // namespace bifrons::kernels::cpu
