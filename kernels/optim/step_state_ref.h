// kernels/optim/step_state_ref.h - the step's bookkeeping: the definition, run by one thread on every device.
#pragma once

#include "kernels/optim/step_state.h"

namespace bifrons::kernels::ref {

BIFRONS_HD inline void begin_step(StepState& state)
{
    state.step += 1;
    state.skip = 0;
    state.bad_before = state.bad_steps;
}

/// Notes the norms; whether they and the losses are all finite.
template <class T>
BIFRONS_HD bool all_finite(StepState& state, std::int64_t n, const T* losses, int first, int groups, const T* norms)
{
    bool finite = true; // infinity and NaN differ from themselves by NaN
    for (std::int64_t i = 0; i < n; ++i) finite = finite && losses[i] - losses[i] == T(0);
    for (int i = 0; i < groups; ++i) {
        finite = finite && norms[i] - norms[i] == T(0);
        state.grad_norm[first + i] = float(norms[i]);
    }
    return finite;
}

template <class T>
BIFRONS_HD void judge_step(StepState& state, const RateSchedule& schedule, std::int64_t n, const T* losses, int groups,
                           const T* norms)
{
    state.rate = scheduled_rate(schedule, state.learning_rate, state.applied);
    const bool finite = all_finite(state, n, losses, 0, groups, norms);
    state.skip = finite ? 0 : 1;
    state.applied += finite ? 1 : 0;
    state.bad_steps = finite ? 0 : state.bad_before + 1;
}

template <class T>
BIFRONS_HD void judge_others(StepState& state, std::int64_t n, const T* losses, int first, int groups, const T* norms)
{
    if (all_finite(state, n, losses, first, groups, norms)) return;
    state.skip = 1;
    state.bad_steps = state.bad_before + 1;
}

template <class T>
BIFRONS_HD void mean_losses(std::int64_t rows, std::int64_t n, const T* losses, T* mean)
{
    for (std::int64_t i = 0; i < n; ++i) {
        double sum = 0;
        for (std::int64_t r = 0; r < rows; ++r) sum += double(losses[r * n + i]);
        mean[i] = T(sum / double(rows));
    }
}

template <class T>
BIFRONS_HD void note_step(const StepState& state, std::int64_t n, const T* losses, std::int64_t kept, StepState* states,
                          T* losses_kept)
{
    const auto row = std::int64_t(state.step % std::uint64_t(kept));
    states[row] = state;
    for (std::int64_t i = 0; i < n; ++i) losses_kept[row * n + i] = losses[i];
}

} // namespace bifrons::kernels::ref
