// engine/optimizer.h - the optimizer over all groups of a model's flat arenas: one verdict for the step, then one
// launch a group.
#pragma once

#include "engine/params.h"

namespace bifrons {

struct OptimizerOptions {
    kernels::UpdateOptions update;       ///< of every group; the norms that are clipped are the groups' own
    kernels::RateSchedule schedule = {}; ///< of the learning rate
};

/// Weights decay in matrices and filters; biases (rank 1) do not, which pull nothing towards zero. What is frozen keeps
/// its weights and its moments.
class Optimizer {
  public:
    /// Which groups an update is of: all at once; or the first, and behind it, in the same step, the others, which have
    /// a verdict of their own then.
    enum class Groups { all, first, others };

    Optimizer(const Parameters& params, const OptimizerOptions& options) : params_(params), options_(options) {}
    /// Takes the moments from the device, zero; and, if the options want it, the first group's average. After the
    /// parameters were allocated.
    void allocate(kernels::Exec ex, Memory& memory);
    /// average = weights. When those were initialised, or restored without an average.
    void start_average(kernels::Exec ex) const;

    /// Enqueues: gradient norms, JudgeStep over the n losses, updates. A step that is not finite changes nothing but
    /// the state's counters.
    void step(kernels::Exec ex, kernels::StepState* state, const Tensor& losses, Groups which = Groups::all) const;

    /// The whole arenas. The rule may keep no mean: empty.
    const Tensor& mean() const { return mean_; }
    const Tensor& square() const { return square_; }
    /// Of the first group alone; may be empty.
    const Tensor& average() const { return average_; }
    const OptimizerOptions& options() const { return options_; }

  private:
    kernels::UpdateArenas arenas_of(const Parameters::Group& group) const;

    const Parameters& params_;
    OptimizerOptions options_;
    Tensor mean_, square_, average_, norms_, marks_;
};

} // namespace bifrons
