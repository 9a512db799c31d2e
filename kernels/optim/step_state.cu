// kernels/optim/step_state.cu - the step's bookkeeping, by one thread.
#include "kernels/optim/step_state.h"

#include "kernels/device/simt.h"
#include "kernels/optim/step_state_ref.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

__global__ void begin_step_kernel(StepState* state)
{
    wait_for_previous_kernel();
    ref::begin_step(*state);
}

__global__ void judge_step_kernel(StepState* state, RateSchedule schedule, std::int64_t n, const float* losses,
                                  int groups, const float* norms)
{
    wait_for_previous_kernel();
    ref::judge_step(*state, schedule, n, losses, groups, norms);
}

__global__ void judge_others_kernel(StepState* state, std::int64_t n, const float* losses, int first, int groups,
                                    const float* norms)
{
    wait_for_previous_kernel();
    ref::judge_others(*state, n, losses, first, groups, norms);
}

__global__ void mean_losses_kernel(std::int64_t rows, std::int64_t n, const float* losses, float* mean)
{
    wait_for_previous_kernel();
    ref::mean_losses(rows, n, losses, mean);
}

__global__ void note_step_kernel(const StepState* state, std::int64_t n, const float* losses, std::int64_t kept,
                                 StepState* states, float* losses_kept)
{
    wait_for_previous_kernel();
    ref::note_step(*state, n, losses, kept, states, losses_kept);
}

} // namespace

void begin_step(Exec ex, StepState* state)
{
    launch("begin_step", begin_step_kernel, {}, ex, state);
}

void judge_step(Exec ex, StepState* state, const RateSchedule& schedule, std::int64_t n, ConstView losses, int groups,
                ConstView norms)
{
    launch("judge_step", judge_step_kernel, {}, ex, state, schedule, n, losses.as<float>(), groups, norms.as<float>());
}

void judge_others(Exec ex, StepState* state, std::int64_t n, ConstView losses, int first, int groups, ConstView norms)
{
    launch("judge_others", judge_others_kernel, {}, ex, state, n, losses.as<float>(), first, groups, norms.as<float>());
}

void mean_losses(Exec ex, std::int64_t rows, std::int64_t n, ConstView losses, View mean)
{
    launch("mean_losses", mean_losses_kernel, {}, ex, rows, n, losses.as<float>(), mean.as<float>());
}

void note_step(Exec ex, const StepState* state, std::int64_t n, ConstView losses, std::int64_t kept, StepState* states,
               View losses_kept)
{
    launch("note_step", note_step_kernel, {}, ex, state, n, losses.as<float>(), kept, states, losses_kept.as<float>());
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
