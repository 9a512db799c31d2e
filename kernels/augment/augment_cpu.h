// kernels/augment/augment_cpu.h - drawing a batch on the cpu device.
#pragma once

#include "kernels/augment/augment.h"

namespace bifrons::kernels::cpu {

void augment(const BatchShape& s, const AugmentOptions& o, const Faces& faces, const StepState* state,
             const Samples& out, Workspace draws);

} // namespace bifrons::kernels::cpu
