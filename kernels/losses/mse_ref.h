// kernels/losses/mse_ref.h - mean squared error in loops: the definition. T = double is the oracle.
#pragma once

#include "kernels/losses/mse.h"

namespace bifrons::kernels::ref {

template <class T>
void mse_fwd(const MseShape& s, const T* a, const T* b, const T* mask, T scale, T* loss)
{
    T sum = 0;
    for (std::int64_t i = 0; i < s.rows * s.C; ++i) {
        const T m = mask ? mask[i / s.C] : T(1);
        const T d = m * a[i] - m * b[i];
        sum += d * d;
    }
    *loss = scale * sum / (T(s.rows) * T(s.C));
}

/// v = upstream * dloss/da, before it is stored.
template <class T>
void mse_grad(const MseShape& s, const T* a, const T* b, const T* mask, T scale, T upstream, T* v)
{
    for (std::int64_t i = 0; i < s.rows * s.C; ++i) {
        const T m = mask ? mask[i / s.C] : T(1);
        v[i] = upstream * scale / (T(s.rows) * T(s.C)) * 2 * m * (m * a[i] - m * b[i]);
    }
}

} // namespace bifrons::kernels::ref
