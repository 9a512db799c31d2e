// kernels/losses/total_variation_ref.h - total variation in loops: the definition. T = double is the oracle.
#pragma once

#include "kernels/losses/total_variation.h"

namespace bifrons::kernels::ref {

/// Squared differences from element i, in pixel (y,x) of its picture, to the pixels right and below.
template <class T>
BIFRONS_HD T variation_ahead(const TotalVariationShape& s, const T* p, std::int64_t i, std::int64_t y, std::int64_t x)
{
    const T right = x + 1 < s.W ? p[i + s.C] - p[i] : T(0), below = y + 1 < s.H ? p[i + s.W * s.C] - p[i] : T(0);
    return right * right + below * below;
}

/// Half the slope of all of them by element i: its differences to the neighbours that it has.
template <class T>
BIFRONS_HD T variation_slope(const TotalVariationShape& s, const T* p, std::int64_t i, std::int64_t y, std::int64_t x)
{
    const std::int64_t row = s.W * s.C;
    T sum = 0;
    if (x > 0) sum += p[i] - p[i - s.C];
    if (x + 1 < s.W) sum += p[i] - p[i + s.C];
    if (y > 0) sum += p[i] - p[i - row];
    if (y + 1 < s.H) sum += p[i] - p[i + row];
    return sum;
}

template <class T>
void total_variation_fwd(const TotalVariationShape& s, const T* p, T scale, T* loss)
{
    T sum = 0;
    for (std::int64_t i = 0; i < s.size(); ++i) sum += variation_ahead(s, p, i, i / s.C / s.W % s.H, i / s.C % s.W);
    *loss = scale * sum / T(s.N);
}

/// v = upstream * dloss/dp, before it is stored.
template <class T>
void total_variation_grad(const TotalVariationShape& s, const T* p, T scale, T upstream, T* v)
{
    for (std::int64_t i = 0; i < s.size(); ++i)
        v[i] = upstream * 2 * scale / T(s.N) * variation_slope(s, p, i, i / s.C / s.W % s.H, i / s.C % s.W);
}

} // namespace bifrons::kernels::ref
