// kernels/optim/adam_cpu.h - Adam and the gradients' norm on the cpu device.
#pragma once

#include "kernels/optim/adam.h"

namespace bifrons::kernels::cpu {

void adam(std::int64_t n, const AdamOptions& o, const StepState& state, View w, ConstView g, View m, View v);
void global_norm(std::int64_t n, ConstView g, View norm);

} // namespace bifrons::kernels::cpu
