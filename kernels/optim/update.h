// kernels/optim/update.h - one step of an optimizer over a range of the flat parameter arenas, in one launch.
//
// With t = state->applied - state->begun[group], the updates that the group has seen, this one included:
//   g' = g * min(1, clip / norm)                            norm = state->grad_norm[group]; clip > 0
//   adam           m = beta1 m + (1 - beta1) g'             v = beta2 v + (1 - beta2) g'^2
//                  u = m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps)
//   adabelief      m = as adam's                            v = beta2 v + (1 - beta2) (g' - m)^2 + eps,  m the new one
//                  u = as adam's
//   adabelief_dfl  m = as adam's                            v = beta2 v + (1 - beta2) (g' - m)^2
//                  u = m / (sqrt(v) + eps)
//   rmsprop                                                 v = beta2 v + (1 - beta2) g'^2
//                  u = g' / (sqrt(v) + eps)
//   w -= k rate (u + decay w)                               rate = state->rate
//   average += (1 - a) (w - average)                        a = min(average_decay, (1 + t) / (10 + t))
// k is 1 or, where keep < 1, drawn for each element and step: 1 with probability keep, else 0 (learning-rate dropout).
//
// Source  Kingma & Ba 2015, arXiv:1412.6980, algorithm 1; Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2 (the
//         decay, AdamW); Zhuang et al. 2020, arXiv:2010.07468, algorithm 2; DeepFaceLab's AdaBelief and RMSprop;
//         Tieleman & Hinton 2012 (RMSprop); Lin et al. 2019, arXiv:1912.00144 (learning-rate dropout)
// Definition  update_ref.h     One element  update_element.h     CPU  update_cpu.cpp     CUDA  update.cu
// Tests  tests/kernels/optim_test.cpp, tests/parity/torch_parity.cpp
#pragma once

#include "kernels/optim/step_state.h"

namespace bifrons::kernels {

enum class UpdateRule : std::uint8_t { adam, adabelief, adabelief_dfl, rmsprop };

/// Whether a rule has the mean m.
BIFRONS_HD constexpr bool keeps_mean(UpdateRule rule)
{
    return rule != UpdateRule::rmsprop;
}

struct UpdateOptions {
    UpdateRule rule = UpdateRule::adam;
    float beta1 = 0.5f, beta2 = 0.999f, eps = 1e-8f;
    float decay = 0;         ///< what weights lose a unit of rate, where their block decays
    float clip = 0;          ///< largest norm of a group's gradients; 0: no clipping
    float keep = 1;          ///< share of the elements that an update moves, in (0, 1]
    float average_decay = 0; ///< of the weights' moving average
};

/// Elements that share a mark.
constexpr std::int64_t kUpdateBlock = 64;

/// Marks of kUpdateBlock neighbours each. An element of a block without kTrained is not touched, nor are its moments.
enum UpdateMark : std::uint8_t { kTrained = 1, kDecays = 2 };

/// n elements of each arena, f32, or f64 (cpu); all alike but packed and marks.
struct UpdateArenas {
    View w;               ///< read and written
    ConstView g;          ///< read
    View m, v;            ///< read and written; m empty where the rule has none
    View packed = {};     ///< bf16, written: the new w, rounded, for the next step's products; may be empty
    View average = {};    ///< read and written; may be empty
    ConstView marks = {}; ///< u8 [ceil(n / kUpdateBlock)], read; empty: all are trained and decay
};

/// first: the number of the first element, for the random numbers; a multiple of 4. Nothing is touched when state->skip
/// is set. Elementwise: deterministic, k has the same bits on every device.
struct Update {
    static constexpr const char* kName = "update";
    std::int64_t n = 0;
    UpdateOptions o = {};
    UpdateArenas a = {};
    const StepState* state = nullptr;
    int group = 0;
    std::int64_t first = 0;

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(Update)

} // namespace bifrons::kernels
