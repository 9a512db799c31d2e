// kernels/pointwise/prelu_ref.h - the activation in loops: the definition. T = double is the oracle.
#pragma once

#include "kernels/pointwise/prelu.h"

namespace bifrons::kernels::ref {

template <class T>
BIFRONS_HD T prelu(T v, T slope)
{
    return v > T(0) ? v : slope * v;
}

template <class T>
void prelu(const PreluShape& s, const T* x, const T* add, const T* slope, T* y)
{
    for (std::int64_t i = 0; i < s.rows * s.C; ++i) {
        const std::int64_t row = i / s.C, c = i % s.C;
        y[i] = prelu(c < s.A ? x[i] + add[row * s.A + c] : x[i], slope[c]);
    }
}

} // namespace bifrons::kernels::ref
