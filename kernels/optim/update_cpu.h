// kernels/optim/update_cpu.h - an optimizer's update on the cpu device.
#pragma once

#include "kernels/optim/update.h"

namespace bifrons::kernels::cpu {

void update(std::int64_t n, const UpdateOptions& o, const UpdateArenas& a, const StepState& state, int group,
            std::int64_t first);

} // namespace bifrons::kernels::cpu
