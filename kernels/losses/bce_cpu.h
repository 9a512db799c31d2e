// kernels/losses/bce_cpu.h - binary cross-entropy on the cpu device.
#pragma once

#include "kernels/losses/bce.h"

namespace bifrons::kernels::cpu {

void bce_fwd(const BceShape& s, ConstView x, ConstView target, ConstView mask, float scale, View loss);
void bce_grad(const BceShape& s, ConstView x, ConstView target, ConstView mask, float scale, ConstView upstream,
              const Store& d);

} // namespace bifrons::kernels::cpu
