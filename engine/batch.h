// engine/batch.h - what a training step eats, and who fills it. The seam between data and model.
#pragma once

#include "engine/tensor.h"
#include "kernels/optim/step_state.h"

namespace bifrons {

/// N samples of each identity, the first N rows source, the other N destination. f32.
struct Batch {
    Tensor input;           ///< [2N,S,S,3] BGR 0..1, what the encoder sees: warped
    Tensor target;          ///< [2N,S,S,3] BGR 0..1, what the decoders shall make of it
    Tensor mask;            ///< [2N,S,S,1] 0..1, 1 inside the face
    Tensor eyes_mouth = {}; ///< [2N,S,S,1] 0..1, 1 on eyes and mouth; empty where no loss asks for it
    /// The number of each identity's first sample in the step, which may have several such batches.
    std::int64_t first = 0;
};

class BatchSource {
  public:
    virtual ~BatchSource() = default;
    /// Enqueues the work that fills the batch; part of the recorded step, so nothing may wait or allocate. The samples
    /// are a pure function of state->seed, state->step and their numbers, which begin at batch.first.
    virtual void enqueue(kernels::Exec ex, const kernels::StepState* state, Batch& batch) = 0;
};

} // namespace bifrons
