// kernels/color/color_affine_ref.h - the affine map of colours in loops: the definition. T = double is the oracle.
#pragma once

#include "kernels/color/color_affine.h"

namespace bifrons::kernels::ref {

template <class T>
void color_affine_fwd(std::int64_t pixels, const ColorAffine& map, const T* x, const T* mask, T* y)
{
    for (std::int64_t i = 0; i < pixels; ++i)
        for (int k = 0; k < 3; ++k) {
            T sum = 0;
            for (int j = 0; j < 3; ++j) sum += T(map.A[k][j]) * x[3 * i + j];
            y[3 * i + k] = (mask ? mask[i] * sum : sum) + T(map.b[k]);
        }
}

/// v, before it is stored.
template <class T>
void color_affine_grad(std::int64_t pixels, const ColorAffine& map, const T* dy, const T* mask, T* v)
{
    for (std::int64_t i = 0; i < pixels; ++i)
        for (int j = 0; j < 3; ++j) {
            T sum = 0;
            for (int k = 0; k < 3; ++k) sum += T(map.A[k][j]) * dy[3 * i + k];
            v[3 * i + j] = mask ? mask[i] * sum : sum;
        }
}

} // namespace bifrons::kernels::ref
