// kernels/dense/dense_ref.h - the fully connected layer in loops: the definition. T = double is the oracle.
#pragma once

#include "kernels/dense/dense.h"

namespace bifrons::kernels::ref {

template <class T>
void dense_fwd(const DenseShape& s, const T* x, const T* w, T* y)
{
    for (std::int64_t n = 0; n < s.N; ++n)
        for (std::int64_t k = 0; k < s.K; ++k) {
            T sum = 0;
            for (std::int64_t c = 0; c < s.C; ++c) sum += x[n * s.C + c] * w[k * s.C + c];
            y[n * s.K + k] = sum;
        }
}

template <class T>
void dense_dgrad(const DenseShape& s, const T* dy, const T* w, T* dx)
{
    for (std::int64_t n = 0; n < s.N; ++n)
        for (std::int64_t c = 0; c < s.C; ++c) {
            T sum = 0;
            for (std::int64_t k = 0; k < s.K; ++k) sum += dy[n * s.K + k] * w[k * s.C + c];
            dx[n * s.C + c] = sum;
        }
}

template <class T>
void dense_wgrad(const DenseShape& s, const T* dy, const T* x, T* dw)
{
    for (std::int64_t k = 0; k < s.K; ++k)
        for (std::int64_t c = 0; c < s.C; ++c) {
            T sum = 0;
            for (std::int64_t n = 0; n < s.N; ++n) sum += dy[n * s.K + k] * x[n * s.C + c];
            dw[k * s.C + c] = sum;
        }
}

} // namespace bifrons::kernels::ref
