// kernels/optim/schedule.h - how the learning rate changes from update to update. A function of the number of updates
// alone, computed on the device, so that a recorded step needs no host; the same bits on every device.
//
//   t = updates made before this one
//   rate = learning_rate * warm * fall * swing
//     warm  = min(1, (t + 1) / warmup)
//     fall  = floor + (1 - floor) (1 + cos(pi min(1, max(0, t - warmup) / fall_steps))) / 2
//     swing = (1 + cos(2 pi t / period)) / 2
// A factor whose steps are 0 is 1.
//
// Source  Goyal et al. 2017, arXiv:1706.02677, 2.2 (warm-up); Loshchilov & Hutter 2017, arXiv:1608.03983, eq. 5
// (cosine);
//         DeepFaceLab's lr_cos (the swing, of 500 steps, that goes with its learning-rate dropout)
// Tests   tests/kernels/optim_test.cpp
#pragma once

#include "kernels/base/exact_math.h"

namespace bifrons::kernels {

struct RateSchedule {
    std::int64_t warmup = 0;     ///< updates
    std::int64_t fall_steps = 0; ///< updates from the full rate to its floor, after the warm-up; < 2^31
    float floor = 0;             ///< share of the learning rate, 0..1
    std::int64_t period = 0;     ///< updates of a swing; < 2^31
};

/// The rate of update t, counted from 0.
BIFRONS_HD inline float scheduled_rate(const RateSchedule& s, float learning_rate, std::uint64_t t)
{
    const auto raised = [](std::uint64_t angle) { return 0.5f * (1 + exact_sincos(std::uint32_t(angle)).cos); };
    const auto warmup = std::uint64_t(s.warmup), steps = std::uint64_t(s.fall_steps), period = std::uint64_t(s.period);
    float rate = learning_rate;
    if (t < warmup) rate *= float(t + 1) / float(warmup);
    if (steps > 0) {
        const std::uint64_t past = t < warmup ? 0 : t - warmup, angle = (past < steps ? past : steps) << 31;
        rate *= std::fma(1 - s.floor, raised(angle / steps), s.floor);
    }
    if (period > 0) rate *= raised((t % period << 32) / period);
    return rate;
}

} // namespace bifrons::kernels
