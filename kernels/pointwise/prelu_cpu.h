// kernels/pointwise/prelu_cpu.h - the activation on the cpu device.
#pragma once

#include "kernels/pointwise/prelu.h"

namespace bifrons::kernels::cpu {

void prelu(const PreluShape& s, ConstView x, ConstView add, ConstView slope, View y);

} // namespace bifrons::kernels::cpu
