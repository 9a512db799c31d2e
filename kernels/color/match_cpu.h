// kernels/color/match_cpu.h - colour transfers on the cpu device.
#pragma once

#include "kernels/color/match.h"

namespace bifrons::kernels::cpu {

void color_match(const MatchShape& s, const float* x, const float* y, const float* mask, const StepState* state,
                 float* out, Workspace workspace);

} // namespace bifrons::kernels::cpu
