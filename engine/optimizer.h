// engine/optimizer.h - Adam over a model's flat arenas, with the step's verdict before it.
#pragma once

#include "engine/params.h"
#include "kernels/optim/adam.h"

namespace bifrons {

class Adam {
  public:
    Adam(const Parameters& params, const kernels::AdamOptions& options) : params_(params), options_(options) {}
    /// Takes the two moments from the device, zero.
    void allocate(kernels::Exec ex, Memory& memory);

    /// Enqueues: gradient norm, judge_step over the n losses, update. A step that is not finite changes nothing but
    /// the state's counters.
    void step(kernels::Exec ex, kernels::StepState* state, const Tensor& losses) const;

    const Tensor& moment1() const { return m_; }
    const Tensor& moment2() const { return v_; }
    void set_options(const kernels::AdamOptions& options) { options_ = options; }

  private:
    const Parameters& params_;
    kernels::AdamOptions options_;
    Tensor m_, v_, norm_;
};

} // namespace bifrons
