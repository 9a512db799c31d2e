// kernels/losses/style_ref.h - means and deviations compared, in loops: the definition. T = double is the oracle.
#pragma once

#include "kernels/losses/style.h"

#include <cmath>

namespace bifrons::kernels::ref {

/// mean and sqrt(variance + 1e-5) of one channel of one picture.
template <class T>
void style_moments(const StyleShape& s, const T* x, std::int64_t n, std::int64_t c, T* mean, T* deviation)
{
    const auto at = [&](std::int64_t i) { return x[(n * s.pixels + i) * s.C + c]; };
    T sum = 0, squares = 0;
    for (std::int64_t i = 0; i < s.pixels; ++i) sum += at(i);
    *mean = sum / T(s.pixels);
    for (std::int64_t i = 0; i < s.pixels; ++i) squares += (at(i) - *mean) * (at(i) - *mean);
    *deviation = std::sqrt(squares / T(s.pixels) + T(1e-5));
}

template <class T>
void style_fwd(const StyleShape& s, const T* x, const T* t, T scale, T* loss, T* moments)
{
    T sum = 0;
    for (std::int64_t n = 0; n < s.N; ++n)
        for (std::int64_t c = 0; c < s.C; ++c) {
            T* m = moments + (n * s.C + c) * 4;
            style_moments(s, x, n, c, m, m + 1);
            style_moments(s, t, n, c, m + 2, m + 3);
            sum += (m[0] - m[2]) * (m[0] - m[2]) + (m[1] - m[3]) * (m[1] - m[3]);
        }
    *loss = scale * sum / T(s.N * s.C);
}

/// v = upstream * dloss/dx, before it is stored.
template <class T>
void style_grad(const StyleShape& s, const T* x, const T* moments, T scale, T upstream, T* v)
{
    for (std::int64_t i = 0; i < s.size(); ++i) {
        const T* m = moments + (i / (s.pixels * s.C) * s.C + i % s.C) * 4;
        v[i] = upstream * 2 * scale / (T(s.N * s.C) * T(s.pixels)) *
               ((m[0] - m[2]) + (m[1] - m[3]) * (x[i] - m[0]) / m[1]);
    }
}

} // namespace bifrons::kernels::ref
