// kernels/pointwise/epilogue_ref.h - the store formula in loops: the definition. T = double is the oracle.
#pragma once

#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels::ref {

/// Where element i of v [N,P,Q,K] is stored by a pixel shuffle of factor f.
inline std::int64_t shuffled_index(const EpilogueShape& s, int f, std::int64_t i)
{
    const std::int64_t C = s.K / (f * f);
    const std::int64_t k = i % s.K, q = i / s.K % s.Q, p = i / s.K / s.Q % s.P, n = i / s.K / s.Q / s.P;
    const std::int64_t c = k % C, j = k / C % f, y = k / C / f;
    return ((n * s.P * f + f * p + y) * s.Q * f + f * q + j) * C + c;
}

template <class T>
void epilogue_fwd(const EpilogueShape& s, const T* v, T* y, const T* bias, const T* add, Activation act, T* z,
                  int shuffle)
{
    for (std::int64_t i = 0; i < s.size(); ++i) {
        const T sum = v[i] + (bias ? bias[i % s.K] : T(0)) + (add ? add[i] : T(0));
        if (z) z[i] = sum;
        y[shuffle == 1 ? i : shuffled_index(s, shuffle, i)] = act_fwd(act, sum);
    }
}

template <class T>
void store_gradient(std::int64_t n, const T* v, T* out, const T* add, Activation act, const T* saved)
{
    for (std::int64_t i = 0; i < n; ++i)
        out[i] = (act.kind == Act::none ? T(1) : act_grad(act, saved[i])) * (v[i] + (add ? add[i] : T(0)));
}

template <class T>
void unshuffle(const EpilogueShape& s, int f, const T* dy, T* d)
{
    for (std::int64_t i = 0; i < s.size(); ++i) d[i] = dy[shuffled_index(s, f, i)];
}

template <class T>
void bias_grad(std::int64_t rows, std::int64_t K, const T* d, T* db, bool accumulate)
{
    for (std::int64_t k = 0; k < K; ++k) {
        T sum = 0;
        for (std::int64_t row = 0; row < rows; ++row) sum += d[row * K + k];
        db[k] = accumulate ? db[k] + sum : sum;
    }
}

} // namespace bifrons::kernels::ref
