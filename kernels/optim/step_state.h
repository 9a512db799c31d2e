// kernels/optim/step_state.h - the few numbers that change from step to step. They live in device memory, so that a
// recorded step needs no new arguments.
#pragma once

#include "kernels/device/dispatch.h"
#include "kernels/optim/schedule.h"

namespace bifrons::kernels {

struct StepState {
    static constexpr int kGroups = 4; ///< most groups of parameters

    std::uint64_t seed = 0;
    std::uint64_t step = 0;            ///< steps begun; the random step: a skipped step advances it too
    std::uint64_t applied = 0;         ///< updates made
    std::uint64_t begun[kGroups] = {}; ///< updates made before a group's first: its t is applied - begun
    float learning_rate = 0;
    float rate = 0;                ///< what the schedule makes of it for this step's update
    float grad_norm[kGroups] = {}; ///< L2 norm of a group's gradients in the last step
    std::uint32_t skip = 0; ///< 1: this step's losses or gradients are not finite; the optimizer leaves all as it is
    std::uint32_t bad_steps = 0;  ///< skipped steps in a row
    std::uint32_t bad_before = 0; ///< bad_steps when this one began
};

/// step += 1, skip = 0, bad_before = bad_steps. First operation of a step.
struct BeginStep {
    static constexpr const char* kName = "begin_step";
    StepState* state = nullptr;

    void check(Target) const {}
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(BeginStep)

/// rate = scheduled_rate(schedule, learning_rate, applied); grad_norm = norms; skip = 1 and bad_steps += 1 if a norm or
/// one of the n losses is not finite, else applied += 1 and bad_steps = 0: one verdict for all groups. Between the
/// gradients and the optimizer.
///   losses [n] f32 or f64, norms [groups] alike, read
struct JudgeStep {
    static constexpr const char* kName = "judge_step";
    StepState* state = nullptr;
    RateSchedule schedule = {};
    std::int64_t n = 0;
    ConstView losses = {};
    int groups = 0;
    ConstView norms = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(JudgeStep)

/// mean[i] = sum over r of losses[r,i] / rows, summed in f64: what the micro-batches of a step came to together.
///   losses [rows,n] f32 or f64 read, mean [n] alike written
struct MeanLosses {
    static constexpr const char* kName = "mean_losses";
    std::int64_t rows = 0, n = 0;
    ConstView losses = {};
    View mean = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(MeanLosses)

/// For groups that are updated behind the ones that were judged: grad_norm[first + i] = norms[i]; skip = 1 and
/// bad_steps = bad_before + 1 if a norm or one of the n losses is not finite.   losses [n], norms [groups] as above
struct JudgeOthers {
    static constexpr const char* kName = "judge_others";
    StepState* state = nullptr;
    std::int64_t n = 0;
    ConstView losses = {};
    int first = 0, groups = 0;
    ConstView norms = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(JudgeOthers)

/// Keeps what a step came to, so that the host can ask for several steps at once instead of waiting for each:
/// states[step % kept] = *state, losses_kept[step % kept, :] = losses. Last operation of a step.
///   losses [n] f32 or f64 read, losses_kept [kept,n] alike written
struct NoteStep {
    static constexpr const char* kName = "note_step";
    const StepState* state = nullptr;
    std::int64_t n = 0;
    ConstView losses = {};
    std::int64_t kept = 0;
    StepState* states = nullptr;
    View losses_kept = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(NoteStep)

} // namespace bifrons::kernels
