// kernels/losses/l1_cpu.h - mean absolute error on the cpu device.
#pragma once

#include "kernels/losses/l1.h"

namespace bifrons::kernels::cpu {

void l1_fwd(const L1Shape& s, ConstView a, ConstView b, ConstView mask, float scale, View loss);
void l1_grad(const L1Shape& s, ConstView a, ConstView b, ConstView mask, float scale, ConstView upstream,
             const Store& d);

} // namespace bifrons::kernels::cpu
