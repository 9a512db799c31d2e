// kernels/losses/bce_ref.h - binary cross-entropy in loops: the definition. T = double is the oracle.
#pragma once

#include "kernels/losses/bce.h"

#include <cmath>

namespace bifrons::kernels::ref {

/// -t log p - (1-t) log(1-p).
template <class T>
BIFRONS_HD T cross_entropy(T x, T t)
{
    return (x > T(0) ? x : T(0)) - x * t + std::log1p(std::exp(-std::fabs(x)));
}

/// Its slope p - t.
template <class T>
BIFRONS_HD T cross_entropy_slope(T x, T t)
{
    const T e = std::exp(-std::fabs(x));
    return (x > T(0) ? T(1) : e) / (T(1) + e) - t;
}

template <class T>
void bce_fwd(const BceShape& s, const T* x, const T* target, const T* mask, T scale, T* loss)
{
    T sum = 0;
    for (std::int64_t i = 0; i < s.rows * s.C; ++i)
        sum += (mask ? mask[i / s.C] : T(1)) * cross_entropy(x[i], target ? target[i] : T(s.label));
    *loss = scale * sum / (T(s.rows) * T(s.C));
}

/// v = upstream * dloss/dx, before it is stored.
template <class T>
void bce_grad(const BceShape& s, const T* x, const T* target, const T* mask, T scale, T upstream, T* v)
{
    const T factor = upstream * scale / (T(s.rows) * T(s.C));
    for (std::int64_t i = 0; i < s.rows * s.C; ++i)
        v[i] = factor * (mask ? mask[i / s.C] : T(1)) * cross_entropy_slope(x[i], target ? target[i] : T(s.label));
}

} // namespace bifrons::kernels::ref
