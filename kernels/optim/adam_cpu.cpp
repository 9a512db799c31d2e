#include "kernels/optim/adam_cpu.h"

#include "kernels/base/parallel.h"

#include <cmath>

namespace bifrons::kernels::cpu {

namespace {

constexpr std::int64_t kGrain = 16384;

/// What is the same for every element of one update.
template <class T>
struct Update {
    T beta1, beta2, eps, clip;
    T rate;          // learning rate / (1 - beta1^t)
    T square_factor; // 1 / (1 - beta2^t)
};

template <class T>
Update<T> update_of(const AdamOptions& o, const StepState& state)
{
    const double t = double(state.applied);
    const bool clips = o.clip > 0 && state.grad_norm > o.clip;
    return {.beta1 = T(o.beta1),
            .beta2 = T(o.beta2),
            .eps = T(o.eps),
            .clip = clips ? T(o.clip) / T(state.grad_norm) : T(1),
            .rate = T(state.learning_rate / (1 - std::pow(double(o.beta1), t))),
            .square_factor = T(1 / (1 - std::pow(double(o.beta2), t)))};
}

template <class T>
__attribute__((target_clones("avx512f", "avx2", "default"))) void
adam_run(std::int64_t n, const Update<T>& u, T* __restrict w, const T* __restrict g, T* __restrict m, T* __restrict v)
{
    const T beta1 = u.beta1, beta2 = u.beta2, eps = u.eps, clip = u.clip, rate = u.rate, factor = u.square_factor;
    for (std::int64_t i = 0; i < n; ++i) {
        const T clipped = clip * g[i];
        m[i] = beta1 * m[i] + (1 - beta1) * clipped;
        v[i] = beta2 * v[i] + (1 - beta2) * (clipped * clipped);
        w[i] -= rate * m[i] / (std::sqrt(factor * v[i]) + eps);
    }
}

template <class T>
void adam_of(std::int64_t n, const Update<T>& u, T* w, const T* g, T* m, T* v)
{
    parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
        adam_run(end - begin, u, w + begin, g + begin, m + begin, v + begin);
    });
}

template <class T>
__attribute__((target_clones("avx512f", "avx2", "default"))) double sum_of_squares(std::int64_t n, const T* g)
{
    return lane_sum(n, [=](std::int64_t i) { return double(g[i]) * double(g[i]); });
}

template <class T>
T norm_of(std::int64_t n, const T* g)
{
    return T(std::sqrt(parallel_sum(n, [&](auto begin, auto end) { return sum_of_squares(end - begin, g + begin); })));
}

} // namespace

void adam(std::int64_t n, const AdamOptions& o, const StepState& state, View w, ConstView g, View m, View v)
{
    if (state.skip) return;
    if (w.dtype == DType::f64)
        return adam_of(n, update_of<double>(o, state), w.as<double>(), g.as<double>(), m.as<double>(), v.as<double>());
    adam_of(n, update_of<float>(o, state), w.as<float>(), g.as<float>(), m.as<float>(), v.as<float>());
}

void global_norm(std::int64_t n, ConstView g, View norm)
{
    if (g.dtype == DType::f64)
        *norm.as<double>() = norm_of(n, g.as<double>());
    else
        *norm.as<float>() = norm_of(n, g.as<float>());
}

} // namespace bifrons::kernels::cpu
