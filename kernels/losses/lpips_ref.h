// kernels/losses/lpips_ref.h - the distance of features in loops: the definition. T = double is the oracle.
#pragma once

#include "kernels/losses/lpips.h"

#include <cmath>

namespace bifrons::kernels::ref {

template <class T>
T lpips_length(std::int64_t C, const T* x)
{
    T sum = T(kLpipsEps);
    for (std::int64_t c = 0; c < C; ++c) sum += x[c] * x[c];
    return std::sqrt(sum);
}

template <class T>
void lpips_fwd(const LpipsShape& s, const T* a, const T* b, const T* w, T scale, T* loss)
{
    T sum = 0;
    for (std::int64_t i = 0; i < s.rows; ++i) {
        const T of_a = lpips_length(s.C, a + i * s.C), of_b = lpips_length(s.C, b + i * s.C);
        for (std::int64_t c = 0; c < s.C; ++c) {
            const T difference = a[i * s.C + c] / of_a - b[i * s.C + c] / of_b;
            sum += (w ? w[c] : T(1)) * difference * difference;
        }
    }
    *loss = scale * sum / T(s.rows);
}

/// v = upstream * dloss/da, before it is stored.
template <class T>
void lpips_grad(const LpipsShape& s, const T* a, const T* b, const T* w, T scale, T upstream, T* v)
{
    for (std::int64_t i = 0; i < s.rows; ++i) {
        const T of_a = lpips_length(s.C, a + i * s.C), of_b = lpips_length(s.C, b + i * s.C);
        const auto u = [&](std::int64_t c) { return a[i * s.C + c] / of_a; };
        const auto g = [&](std::int64_t c) { return (w ? w[c] : T(1)) * (u(c) - b[i * s.C + c] / of_b); };
        T along = 0;
        for (std::int64_t c = 0; c < s.C; ++c) along += g(c) * u(c);
        for (std::int64_t c = 0; c < s.C; ++c)
            v[i * s.C + c] = 2 * scale * upstream / T(s.rows) / of_a * (g(c) - u(c) * along);
    }
}

} // namespace bifrons::kernels::ref
