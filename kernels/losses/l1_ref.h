// kernels/losses/l1_ref.h - mean absolute error in loops: the definition. T = double is the oracle.
#pragma once

#include "kernels/losses/l1.h"

#include <cmath>

namespace bifrons::kernels::ref {

template <class T>
void l1_fwd(const L1Shape& s, const T* a, const T* b, const T* mask, T scale, T* loss)
{
    T sum = 0;
    for (std::int64_t i = 0; i < s.rows * s.C; ++i) {
        const T m = mask ? mask[i / s.C] : T(1);
        sum += m * std::abs(a[i] - b[i]);
    }
    *loss = scale * sum / (T(s.rows) * T(s.C));
}

/// v = upstream * dloss/da, before it is stored.
template <class T>
void l1_grad(const L1Shape& s, const T* a, const T* b, const T* mask, T scale, T upstream, T* v)
{
    for (std::int64_t i = 0; i < s.rows * s.C; ++i) {
        const T m = mask ? mask[i / s.C] : T(1);
        const T sign = a[i] > b[i] ? T(1) : a[i] < b[i] ? T(-1) : T(0);
        v[i] = upstream * scale / (T(s.rows) * T(s.C)) * m * sign;
    }
}

} // namespace bifrons::kernels::ref
