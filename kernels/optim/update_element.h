// kernels/optim/update_element.h - one element's update, host and device, and what is the same for all of them.
#pragma once

#include "kernels/base/rng.h"
#include "kernels/optim/update.h"

#include <cmath>

namespace bifrons::kernels {

/// What is the same for every element of one update.
template <class T>
struct UpdateRates {
    T clip;          // factor of the gradients
    T rate;          // of the direction, the mean's correction included
    T square_factor; // the square's correction
    T decay;         // what a decaying weight loses of itself
    T follow;        // how far the average moves towards the weight
};

template <class T>
BIFRONS_HD inline UpdateRates<T> update_rates(const UpdateOptions& o, const StepState& state, int group)
{
    const double t = double(state.applied - state.begun[group]), rate = state.rate;
    const float norm = state.grad_norm[group];
    const bool corrected = o.rule == UpdateRule::adam || o.rule == UpdateRule::adabelief;
    const double start = (1 + t) / (10 + t), averaged = o.average_decay < start ? double(o.average_decay) : start;
    return {o.clip > 0 && norm > o.clip ? T(o.clip) / T(norm) : T(1),
            T(corrected ? rate / (1 - std::pow(double(o.beta1), t)) : rate),
            T(corrected ? 1 / (1 - std::pow(double(o.beta2), t)) : 1), T(rate * double(o.decay)), T(1 - averaged)};
}

/// kept: 1, or 0 where this update leaves the weight alone. decay: rates.decay, or 0.
template <UpdateRule Rule, class T>
BIFRONS_HD inline void update_element(const UpdateOptions& o, const UpdateRates<T>& rates, T kept, T decay, T gradient,
                                      T& m, T& v, T& w)
{
    constexpr bool belief = Rule == UpdateRule::adabelief || Rule == UpdateRule::adabelief_dfl;
    const T beta1 = T(o.beta1), beta2 = T(o.beta2), eps = T(o.eps), g = rates.clip * gradient;
    if constexpr (keeps_mean(Rule)) m = beta1 * m + (1 - beta1) * g;
    const T spread = belief ? g - m : g;
    v = beta2 * v + (1 - beta2) * (spread * spread);
    if constexpr (Rule == UpdateRule::adabelief) v += eps;
    const T direction = keeps_mean(Rule) ? m : g;
    w -= kept * (rates.rate * direction / (std::sqrt(rates.square_factor * v) + eps) + decay * w);
}

/// f<rule>() for a rule that is known at run time only.
template <class F>
void on_rule(UpdateRule rule, const F& f)
{
    switch (rule) {
    case UpdateRule::adam:
        return f.template operator()<UpdateRule::adam>();
    case UpdateRule::adabelief:
        return f.template operator()<UpdateRule::adabelief>();
    case UpdateRule::adabelief_dfl:
        return f.template operator()<UpdateRule::adabelief_dfl>();
    case UpdateRule::rmsprop:
        return f.template operator()<UpdateRule::rmsprop>();
    }
}

/// Four neighbours of a learning-rate dropout: those from element 4 * quad on.
struct UpdateDraw {
    static constexpr std::uint32_t kPurpose = 101; // apart from the samples' and the initial weights'
    BIFRONS_HD UpdateDraw(const StepState& state, std::int64_t quad, float keep)
        : words_(philox4x32({{std::uint32_t(quad), std::uint32_t(quad >> 32), std::uint32_t(state.step),
                              (std::uint32_t(state.step >> 32) & 0xFFFFu) | kPurpose << 16}},
                            state.seed)),
          threshold_(std::uint64_t(double(keep) * 4294967296.0))
    {
    }
    BIFRONS_HD bool kept(int i) const
    {
        std::uint32_t word = words_.v[0]; // a choice, not v[i], which would put the words into a GPU's memory
        for (int k = 1; k < 4; ++k) word = i == k ? words_.v[k] : word;
        return word < threshold_;
    }

  private:
    Philox4 words_;
    std::uint64_t threshold_;
};

} // namespace bifrons::kernels
