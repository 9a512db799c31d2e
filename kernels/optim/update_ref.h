// kernels/optim/update_ref.h - an update in loops: the definition, without learning-rate dropout's draw, which is
// given. T = double is the oracle.
#pragma once

#include "kernels/optim/update.h"

#include <cmath>
#include <vector>

namespace bifrons::kernels::ref {

/// What an update moves, element by element.
template <class T>
struct Weights {
    std::vector<T> w, m, v, average;
};

/// kept: for each element whether this update moves it; empty: it moves all.
template <class T>
void update(const UpdateOptions& o, const StepState& state, const std::vector<T>& g, Weights<T>& x, int group = 0,
            const std::vector<bool>& kept = {})
{
    if (state.skip) return;
    const T beta1 = T(o.beta1), beta2 = T(o.beta2), eps = T(o.eps), rate = T(state.rate),
            norm = T(state.grad_norm[group]);
    const T t = T(state.applied - state.begun[group]), clip = o.clip > 0 && norm > T(o.clip) ? T(o.clip) / norm : T(1);
    const T averaged = std::min(T(o.average_decay), (1 + t) / (10 + t));
    for (std::size_t i = 0; i < g.size(); ++i) {
        const T scaled = clip * g[i];
        x.m[i] = beta1 * x.m[i] + (1 - beta1) * scaled;
        const T mean = x.m[i] / (1 - std::pow(beta1, t)), deviation = scaled - x.m[i];
        T direction = 0;
        switch (o.rule) {
        case UpdateRule::adam:
            x.v[i] = beta2 * x.v[i] + (1 - beta2) * scaled * scaled;
            direction = mean / (std::sqrt(x.v[i] / (1 - std::pow(beta2, t))) + eps);
            break;
        case UpdateRule::adabelief:
            x.v[i] = beta2 * x.v[i] + (1 - beta2) * deviation * deviation + eps;
            direction = mean / (std::sqrt(x.v[i] / (1 - std::pow(beta2, t))) + eps);
            break;
        case UpdateRule::adabelief_dfl:
            x.v[i] = beta2 * x.v[i] + (1 - beta2) * deviation * deviation;
            direction = x.m[i] / (std::sqrt(x.v[i]) + eps);
            break;
        case UpdateRule::rmsprop:
            x.v[i] = beta2 * x.v[i] + (1 - beta2) * scaled * scaled;
            direction = scaled / (std::sqrt(x.v[i]) + eps);
            break;
        }
        if (kept.empty() || kept[i]) x.w[i] -= rate * (direction + T(o.decay) * x.w[i]);
        x.average[i] += (1 - averaged) * (x.w[i] - x.average[i]);
    }
}

} // namespace bifrons::kernels::ref
