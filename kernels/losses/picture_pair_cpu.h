// kernels/losses/picture_pair_cpu.h - the loops of mse.h and l1.h on the cpu device, for a Term with static members
//
//   double value(double a, double b)    an element's share
//   T slope(T a, T b)                   its derivative by a
//   T weight(T m)                       what both are multiplied with under the mask m
#pragma once

#include "kernels/base/clones.h"
#include "kernels/base/parallel.h"
#include "kernels/losses/picture_pair.h"
#include "kernels/pointwise/epilogue_cpu.h"

namespace bifrons::kernels::cpu {

template <class Term, class T>
BIFRONS_CLONES double pair_sum(std::int64_t n, const T* a, const T* b)
{
    return lane_sum(n, [=](std::int64_t i) { return Term::value(double(a[i]), double(b[i])); });
}

template <class Term, class T>
double masked_pair_sum(const PicturePair& s, std::int64_t begin, std::int64_t end, const T* a, const T* b,
                       const T* mask)
{
    double sum = 0;
    for (std::int64_t row = begin; row < end; ++row) {
        double of_row = 0;
        for (std::int64_t i = row * s.C; i < (row + 1) * s.C; ++i) of_row += Term::value(double(a[i]), double(b[i]));
        sum += of_row * Term::weight(double(mask[row]));
    }
    return sum;
}

template <class Term, class T>
void pair_fwd(const PicturePair& s, const T* a, const T* b, const T* mask, float scale, T* loss)
{
    const double sum =
        mask ? parallel_sum(s.rows,
                            [&](auto begin, auto end) { return masked_pair_sum<Term>(s, begin, end, a, b, mask); })
             : parallel_sum(s.rows * s.C,
                            [&](auto begin, auto end) { return pair_sum<Term>(end - begin, a + begin, b + begin); });
    *loss = T(scale * sum / (double(s.rows) * double(s.C)));
}

/// v[0, n) *= the mask's weight, v[0] being element `begin` of [rows,C].
template <class Term, class T>
void apply_mask(const PicturePair& s, const T* mask, std::int64_t begin, std::int64_t n, T* v)
{
    std::int64_t row = begin / s.C;
    for (std::int64_t i = 0; i < n; ++row) {
        const T weight = Term::weight(mask[row]);
        for (const std::int64_t end = std::min(n, (row + 1) * s.C - begin); i < end; ++i) v[i] *= weight;
    }
}

template <class Term, class T>
void pair_grad(const PicturePair& s, const T* a, const T* b, const T* mask, float scale, const T* upstream,
               const Store& d)
{
    constexpr std::int64_t kGrain = 16384, kRun = 1024;
    const T factor = T(double(*upstream) * scale / (double(s.rows) * double(s.C)));
    parallel_for(s.rows * s.C, kGrain, [&](std::int64_t piece, std::int64_t end) {
        T v[kRun];
        for (std::int64_t begin = piece; begin < end; begin += kRun) {
            const std::int64_t n = std::min(kRun, end - begin);
            for (std::int64_t i = 0; i < n; ++i) v[i] = factor * Term::slope(a[begin + i], b[begin + i]);
            if (mask) apply_mask<Term>(s, mask, begin, n, v);
            store_gradient_run(d, begin, n, v);
        }
    });
}

} // namespace bifrons::kernels::cpu
