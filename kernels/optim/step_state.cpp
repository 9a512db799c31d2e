#include "kernels/optim/step_state.h"

#include "kernels/base/on_type.h"
#include "kernels/device/dispatch.h"
#include "kernels/optim/step_state_ref.h"

namespace bifrons::kernels {

void begin_step(Exec ex, StepState* state)
{
    if (accounted(ex, "begin_step", {.bytes = 2.0 * sizeof(StepState)})) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { ref::begin_step(*state); });
    BIFRONS_SIMT(ex, "begin_step", begin_step(ex, state));
}

void judge_step(Exec ex, StepState* state, const RateSchedule& schedule, std::int64_t n, ConstView losses, int groups,
                ConstView norms)
{
    BIFRONS_CHECK(shape, losses.dtype == norms.dtype, "judge_step: the losses are ", dtype_name(losses.dtype),
                  ", the norms are ", dtype_name(norms.dtype), "; expected the same type");
    BIFRONS_CHECK(shape, groups >= 1 && groups <= StepState::kGroups, "judge_step: ", groups, " groups; expected 1 to ",
                  StepState::kGroups);
    const double bytes = 2.0 * sizeof(StepState) + double(n + groups) * double(dtype_bytes(norms.dtype));
    if (accounted(ex, "judge_step", {.bytes = bytes})) return;
    if (on_cpu(ex))
        return ex.device->enqueue(ex.stream, [=] {
            on_type<float, double>(norms.dtype, [&]<class T>() {
                ref::judge_step(*state, schedule, n, losses.as<T>(), groups, norms.as<T>());
            });
        });
    BIFRONS_SIMT(ex, "judge_step", judge_step(ex, state, schedule, n, losses, groups, norms));
}

void judge_others(Exec ex, StepState* state, std::int64_t n, ConstView losses, int first, int groups, ConstView norms)
{
    BIFRONS_CHECK(shape, losses.dtype == norms.dtype, "judge_others: the losses are ", dtype_name(losses.dtype),
                  ", the norms are ", dtype_name(norms.dtype), "; expected the same type");
    BIFRONS_CHECK(shape, first >= 0 && groups >= 0 && first + groups <= StepState::kGroups, "judge_others: groups ",
                  first, "..", first + groups, "; expected up to ", StepState::kGroups);
    const double bytes = 2.0 * sizeof(StepState) + double(n + groups) * double(dtype_bytes(norms.dtype));
    if (accounted(ex, "judge_others", {.bytes = bytes})) return;
    if (on_cpu(ex))
        return ex.device->enqueue(ex.stream, [=] {
            on_type<float, double>(norms.dtype, [&]<class T>() {
                ref::judge_others(*state, n, losses.as<T>(), first, groups, norms.as<T>());
            });
        });
    BIFRONS_SIMT(ex, "judge_others", judge_others(ex, state, n, losses, first, groups, norms));
}

void mean_losses(Exec ex, std::int64_t rows, std::int64_t n, ConstView losses, View mean)
{
    BIFRONS_CHECK(shape, losses.dtype == mean.dtype, "mean_losses: the losses are ", dtype_name(losses.dtype),
                  ", their mean ", dtype_name(mean.dtype), "; expected the same type");
    if (accounted(ex, "mean_losses", {.bytes = double((rows + 1) * n) * double(dtype_bytes(mean.dtype))})) return;
    if (on_cpu(ex))
        return ex.device->enqueue(ex.stream, [=] {
            on_type<float, double>(mean.dtype,
                                   [&]<class T>() { ref::mean_losses(rows, n, losses.as<T>(), mean.as<T>()); });
        });
    BIFRONS_SIMT(ex, "mean_losses", mean_losses(ex, rows, n, losses, mean));
}

void note_step(Exec ex, const StepState* state, std::int64_t n, ConstView losses, std::int64_t kept, StepState* states,
               View losses_kept)
{
    BIFRONS_CHECK(shape, losses.dtype == losses_kept.dtype && kept >= 1, "note_step: the losses are ",
                  dtype_name(losses.dtype), ", kept as ", dtype_name(losses_kept.dtype), " for ", kept,
                  " steps; expected the same type, for at least one step");
    const double bytes = 2.0 * (sizeof(StepState) + double(n) * double(dtype_bytes(losses.dtype)));
    if (accounted(ex, "note_step", {.bytes = bytes})) return;
    if (on_cpu(ex))
        return ex.device->enqueue(ex.stream, [=] {
            on_type<float, double>(losses.dtype, [&]<class T>() {
                ref::note_step(*state, n, losses.as<T>(), kept, states, losses_kept.as<T>());
            });
        });
    BIFRONS_SIMT(ex, "note_step", note_step(ex, state, n, losses, kept, states, losses_kept));
}

} // namespace bifrons::kernels
