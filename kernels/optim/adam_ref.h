// kernels/optim/adam_ref.h - Adam and the gradients' norm in loops: the definition. T = double is the oracle.
#pragma once

#include "kernels/optim/adam.h"

#include <cmath>

namespace bifrons::kernels::ref {

template <class T>
void adam(std::int64_t n, const AdamOptions& o, const StepState& state, T* w, const T* g, T* m, T* v)
{
    if (state.skip) return;
    const T beta1 = T(o.beta1), beta2 = T(o.beta2), t = T(state.applied);
    const T clip = o.clip > 0 && state.grad_norm > o.clip ? T(o.clip) / T(state.grad_norm) : T(1);
    for (std::int64_t i = 0; i < n; ++i) {
        const T clipped = clip * g[i];
        m[i] = beta1 * m[i] + (1 - beta1) * clipped;
        v[i] = beta2 * v[i] + (1 - beta2) * clipped * clipped;
        const T mean = m[i] / (1 - std::pow(beta1, t)), square = v[i] / (1 - std::pow(beta2, t));
        w[i] -= T(state.learning_rate) * mean / (std::sqrt(square) + T(o.eps));
    }
}

template <class T>
void global_norm(std::int64_t n, const T* g, T* norm)
{
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i) sum += double(g[i]) * double(g[i]);
    *norm = T(std::sqrt(sum));
}

} // namespace bifrons::kernels::ref
