#include "kernels/optim/step_state.h"

#include "kernels/base/on_type.h"
#include "kernels/optim/step_state_ref.h"

namespace bifrons::kernels {

Cost BeginStep::cost(Target) const
{
    return {.bytes = 2.0 * sizeof(StepState)};
}

void JudgeStep::check(Target) const
{
    BIFRONS_CHECK(shape, losses.dtype == norms.dtype, "judge_step: the losses are ", dtype_name(losses.dtype),
                  ", the norms are ", dtype_name(norms.dtype), "; expected the same type");
    BIFRONS_CHECK(shape, groups >= 1 && groups <= StepState::kGroups, "judge_step: ", groups, " groups; expected 1 to ",
                  StepState::kGroups);
}

Cost JudgeStep::cost(Target) const
{
    const double bytes = 2.0 * sizeof(StepState) + double(n + groups) * double(dtype_bytes(norms.dtype));
    return {.bytes = bytes};
}

void JudgeOthers::check(Target) const
{
    BIFRONS_CHECK(shape, losses.dtype == norms.dtype, "judge_others: the losses are ", dtype_name(losses.dtype),
                  ", the norms are ", dtype_name(norms.dtype), "; expected the same type");
    BIFRONS_CHECK(shape, first >= 0 && groups >= 0 && first + groups <= StepState::kGroups, "judge_others: groups ",
                  first, "..", first + groups, "; expected up to ", StepState::kGroups);
}

Cost JudgeOthers::cost(Target) const
{
    const double bytes = 2.0 * sizeof(StepState) + double(n + groups) * double(dtype_bytes(norms.dtype));
    return {.bytes = bytes};
}

void MeanLosses::check(Target) const
{
    BIFRONS_CHECK(shape, losses.dtype == mean.dtype, "mean_losses: the losses are ", dtype_name(losses.dtype),
                  ", their mean ", dtype_name(mean.dtype), "; expected the same type");
}

Cost MeanLosses::cost(Target) const
{
    return {.bytes = double((rows + 1) * n) * double(dtype_bytes(mean.dtype))};
}

void NoteStep::check(Target) const
{
    BIFRONS_CHECK(shape, losses.dtype == losses_kept.dtype && kept >= 1, "note_step: the losses are ",
                  dtype_name(losses.dtype), ", kept as ", dtype_name(losses_kept.dtype), " for ", kept,
                  " steps; expected the same type, for at least one step");
}

Cost NoteStep::cost(Target) const
{
    const double bytes = 2.0 * (sizeof(StepState) + double(n) * double(dtype_bytes(losses.dtype)));
    return {.bytes = bytes};
}

void cpu::run(Exec, const BeginStep& op)
{
    ref::begin_step(*op.state);
}

void cpu::run(Exec, const JudgeStep& op)
{
    on_type<float, double>(op.norms.dtype, [&]<class T>() {
        ref::judge_step(*op.state, op.schedule, op.n, op.losses.as<T>(), op.groups, op.norms.as<T>());
    });
}

void cpu::run(Exec, const JudgeOthers& op)
{
    on_type<float, double>(op.norms.dtype, [&]<class T>() {
        ref::judge_others(*op.state, op.n, op.losses.as<T>(), op.first, op.groups, op.norms.as<T>());
    });
}

void cpu::run(Exec, const MeanLosses& op)
{
    on_type<float, double>(op.mean.dtype,
                           [&]<class T>() { ref::mean_losses(op.rows, op.n, op.losses.as<T>(), op.mean.as<T>()); });
}

void cpu::run(Exec, const NoteStep& op)
{
    on_type<float, double>(op.losses.dtype, [&]<class T>() {
        ref::note_step(*op.state, op.n, op.losses.as<T>(), op.kept, op.states, op.losses_kept.as<T>());
    });
}

} // namespace bifrons::kernels
