// kernels/losses/mse_cpu.h - mean squared error on the cpu device.
#pragma once

#include "kernels/losses/mse.h"

namespace bifrons::kernels::cpu {

void mse_fwd(const MseShape& s, ConstView a, ConstView b, ConstView mask, float scale, View loss);
void mse_grad(const MseShape& s, ConstView a, ConstView b, ConstView mask, float scale, ConstView upstream,
              const Store& d);

} // namespace bifrons::kernels::cpu
