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

void run(Exec ex, const BeginStep& op)
{
    launch(op.kName, begin_step_kernel, {}, ex, op.state);
}

void run(Exec ex, const JudgeStep& op)
{
    launch(op.kName, judge_step_kernel, {}, ex, op.state, op.schedule, op.n, op.losses.as<float>(), op.groups,
           op.norms.as<float>());
}

void run(Exec ex, const JudgeOthers& op)
{
    launch(op.kName, judge_others_kernel, {}, ex, op.state, op.n, op.losses.as<float>(), op.first, op.groups,
           op.norms.as<float>());
}

void run(Exec ex, const MeanLosses& op)
{
    launch(op.kName, mean_losses_kernel, {}, ex, op.rows, op.n, op.losses.as<float>(), op.mean.as<float>());
}

void run(Exec ex, const NoteStep& op)
{
    launch(op.kName, note_step_kernel, {}, ex, op.state, op.n, op.losses.as<float>(), op.kept, op.states,
           op.losses_kept.as<float>());
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
