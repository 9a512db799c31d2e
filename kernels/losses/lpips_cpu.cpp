#include "kernels/losses/lpips.h"

#include "kernels/base/clones.h"
#include "kernels/base/host_storage.h"
#include "kernels/base/on_type.h"
#include "kernels/base/parallel.h"
#include "kernels/pointwise/epilogue_cpu.h"

#include <cmath>
#include <vector>

namespace bifrons::kernels::cpu {

namespace {

/// 1 / r of a row.
template <class T>
double inverse_length(std::int64_t C, const T* x)
{
    return 1 / std::sqrt(lane_sum(C, [=](std::int64_t c) { return double(x[c]) * double(x[c]); }) + kLpipsEps);
}

/// A row's share: sum of w (u_a - u_b)^2.
template <class T>
BIFRONS_CLONES double distance(std::int64_t C, const T* a, const T* b, const Wide<T>* w)
{
    const double of_a = inverse_length(C, a), of_b = inverse_length(C, b);
    const auto square = [=](std::int64_t c) {
        const double d = double(a[c]) * of_a - double(b[c]) * of_b;
        return d * d;
    };
    if (!w) return lane_sum(C, square);
    return lane_sum(C, [=](std::int64_t c) { return double(w[c]) * square(c); });
}

/// v = factor dloss/da of a row.
template <class T>
BIFRONS_CLONES void slope(std::int64_t C, const T* a, const T* b, const Wide<T>* w, double factor, Wide<T>* v)
{
    const double of_a = inverse_length(C, a), of_b = inverse_length(C, b);
    const auto g = [=](std::int64_t c) {
        return (w ? double(w[c]) : 1.0) * (double(a[c]) * of_a - double(b[c]) * of_b);
    };
    const double along = lane_sum(C, [=](std::int64_t c) { return g(c) * double(a[c]) * of_a; });
    for (std::int64_t c = 0; c < C; ++c) v[c] = Wide<T>(factor * of_a * (g(c) - double(a[c]) * of_a * along));
}

template <class T>
void fwd(const LpipsShape& s, const T* a, const T* b, const Wide<T>* w, float scale, Wide<T>* loss)
{
    const double sum = parallel_sum(s.rows, [&](std::int64_t begin, std::int64_t end) {
        double of_rows = 0;
        for (std::int64_t row = begin; row < end; ++row) of_rows += distance(s.C, a + row * s.C, b + row * s.C, w);
        return of_rows;
    });
    *loss = Wide<T>(scale * sum / double(s.rows));
}

template <class T>
void grad(const LpipsShape& s, const T* a, const T* b, const Wide<T>* w, float scale, const Wide<T>* upstream,
          const Store& d)
{
    const double factor = 2 * double(scale) * double(*upstream) / double(s.rows);
    parallel_for(s.rows, 16, [&](std::int64_t begin, std::int64_t end) {
        std::vector<Wide<T>> v(static_cast<std::size_t>(s.C));
        for (std::int64_t row = begin; row < end; ++row) {
            slope(s.C, a + row * s.C, b + row * s.C, w, factor, v.data());
            store_gradient_run(d, row * s.C, s.C, v.data());
        }
    });
}

} // namespace

void run(Exec, const LpipsFwd& op)
{
    on_type<float, bf16, double>(op.a.dtype, [&]<class T>() {
        fwd(op.s, op.a.as<T>(), op.b.as<T>(), op.w.as<Wide<T>>(), op.scale, op.loss.as<Wide<T>>());
    });
}

void run(Exec, const LpipsGrad& op)
{
    on_type<float, bf16, double>(op.a.dtype, [&]<class T>() {
        grad(op.s, op.a.as<T>(), op.b.as<T>(), op.w.as<Wide<T>>(), op.scale, op.upstream.as<Wide<T>>(), op.d);
    });
}

} // namespace bifrons::kernels::cpu
