// kernels/pointwise/pixel_norm_ref.h - normalisation of a sample in loops: the definition.
#pragma once

#include "kernels/pointwise/pixel_norm.h"

#include <cmath>

namespace bifrons::kernels::ref {

template <class T>
double mean_of_products(std::int64_t n, const T* a, const T* b)
{
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i) sum += double(a[i]) * double(b[i]);
    return sum / double(n);
}

/// r of one sample.
template <class T>
double inverse_rms(std::int64_t n, const T* x)
{
    return 1 / std::sqrt(mean_of_products(n, x, x) + 1e-6);
}

template <class T>
void pixel_norm_fwd(const PixelNormShape& s, const T* x, T* y)
{
    for (std::int64_t first = 0; first < s.size(); first += s.F) {
        const T r = T(inverse_rms(s.F, x + first));
        for (std::int64_t i = first; i < first + s.F; ++i) y[i] = r * x[i];
    }
}

template <class T>
void pixel_norm_grad(const PixelNormShape& s, const T* dy, const T* x, T* dx)
{
    for (std::int64_t first = 0; first < s.size(); first += s.F) {
        const double r = inverse_rms(s.F, x + first), along = r * r * mean_of_products(s.F, dy + first, x + first);
        for (std::int64_t i = first; i < first + s.F; ++i) dx[i] = T(r) * (dy[i] - T(along) * x[i]);
    }
}

} // namespace bifrons::kernels::ref
