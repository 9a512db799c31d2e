// kernels/optim/adam.h - Adam over the flat parameter arena, in one launch.
//
//   g' = g * min(1, clip / norm)       (clip > 0)
//   m = beta1 m + (1 - beta1) g'       v = beta2 v + (1 - beta2) g'^2
//   w -= lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)            t = state->applied, lr =
//   state->learning_rate
//
// Source  Kingma & Ba 2015, arXiv:1412.6980, algorithm 1.
// Definition  adam_ref.h      CPU  adam_cpu.cpp      CUDA  adam.cu      Tests  tests/kernels/optim_test.cpp
#pragma once

#include "kernels/optim/step_state.h"

namespace bifrons::kernels {

struct AdamOptions {
    float beta1 = 0.5f, beta2 = 0.999f, eps = 1e-8f;
    float clip = 0; ///< largest global norm of the gradients; 0: no clipping
};

/// w, m, v [n] read and written, g [n] read; f32, or f64 (cpu). packed [n] bf16 (GPU only), may be empty: the new w,
/// rounded, for the next step's products. Nothing is touched when state->skip is set. Elementwise: deterministic.
void adam(Exec ex, std::int64_t n, const AdamOptions& o, const StepState* state, View w, ConstView g, View m, View v,
          View packed = {});
Cost adam_cost(std::int64_t n, DType dtype, bool packed = false);

/// norm[0] = sqrt(sum g^2), accumulated in f64 in a fixed order: the same bits for any thread count. norm [1] as g.
void global_norm(Exec ex, std::int64_t n, ConstView g, View norm);
Cost global_norm_cost(std::int64_t n, DType dtype, Target target);

BIFRONS_SIMT_DECLARE(void adam(Exec ex, std::int64_t n, const AdamOptions& o, const StepState* state, View w,
                               ConstView g, View m, View v, View packed);
                     void global_norm(Exec ex, std::int64_t n, ConstView g, View norm);)

} // namespace bifrons::kernels
