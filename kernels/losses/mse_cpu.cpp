#include "kernels/losses/mse_cpu.h"

#include "kernels/base/clones.h"
#include "kernels/base/on_type.h"
#include "kernels/base/parallel.h"
#include "kernels/pointwise/epilogue_cpu.h"

namespace bifrons::kernels::cpu {

namespace {

constexpr std::int64_t kGrain = 16384;

template <class T>
BIFRONS_CLONES double squared_distance(std::int64_t n, const T* a, const T* b)
{
    return lane_sum(n, [=](std::int64_t i) {
        const double d = double(a[i]) - double(b[i]);
        return d * d;
    });
}

template <class T>
double masked_distance(const MseShape& s, std::int64_t begin, std::int64_t end, const T* a, const T* b, const T* mask)
{
    double sum = 0;
    for (std::int64_t row = begin; row < end; ++row) {
        double of_row = 0;
        for (std::int64_t i = row * s.C; i < (row + 1) * s.C; ++i)
            of_row += (double(a[i]) - double(b[i])) * (double(a[i]) - double(b[i]));
        sum += of_row * double(mask[row]) * double(mask[row]);
    }
    return sum;
}

template <class T>
void fwd(const MseShape& s, const T* a, const T* b, const T* mask, float scale, T* loss)
{
    const double sum =
        mask ? parallel_sum(s.rows, [&](auto begin, auto end) { return masked_distance(s, begin, end, a, b, mask); })
             : parallel_sum(s.rows * s.C,
                            [&](auto begin, auto end) { return squared_distance(end - begin, a + begin, b + begin); });
    *loss = T(scale * sum / (double(s.rows) * double(s.C)));
}

/// v[0, n) *= mask^2, v[0] being element `begin` of [rows,C].
template <class T>
void apply_mask(const MseShape& s, const T* mask, std::int64_t begin, std::int64_t n, T* v)
{
    std::int64_t row = begin / s.C;
    for (std::int64_t i = 0; i < n; ++row) {
        const T weight = mask[row] * mask[row];
        for (const std::int64_t end = std::min(n, (row + 1) * s.C - begin); i < end; ++i) v[i] *= weight;
    }
}

template <class T>
void grad(const MseShape& s, const T* a, const T* b, const T* mask, float scale, const T* upstream, const Store& d)
{
    constexpr std::int64_t kRun = 1024;
    const T factor = T(double(*upstream) * 2 * scale / (double(s.rows) * double(s.C)));
    parallel_for(s.rows * s.C, kGrain, [&](std::int64_t piece, std::int64_t end) {
        T v[kRun];
        for (std::int64_t begin = piece; begin < end; begin += kRun) {
            const std::int64_t n = std::min(kRun, end - begin);
            for (std::int64_t i = 0; i < n; ++i) v[i] = factor * (a[begin + i] - b[begin + i]);
            if (mask) apply_mask(s, mask, begin, n, v);
            store_gradient_run(d, begin, n, v);
        }
    });
}

} // namespace

void mse_fwd(const MseShape& s, ConstView a, ConstView b, ConstView mask, float scale, View loss)
{
    on_type<float, double>(a.dtype,
                           [&]<class T>() { fwd(s, a.as<T>(), b.as<T>(), mask.as<T>(), scale, loss.as<T>()); });
}

void mse_grad(const MseShape& s, ConstView a, ConstView b, ConstView mask, float scale, ConstView upstream,
              const Store& d)
{
    on_type<float, double>(a.dtype,
                           [&]<class T>() { grad(s, a.as<T>(), b.as<T>(), mask.as<T>(), scale, upstream.as<T>(), d); });
}

} // namespace bifrons::kernels::cpu
