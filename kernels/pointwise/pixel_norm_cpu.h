// kernels/pointwise/pixel_norm_cpu.h - normalisation of a sample on the cpu device.
#pragma once

#include "kernels/pointwise/pixel_norm.h"

namespace bifrons::kernels::cpu {

void pixel_norm_fwd(const PixelNormShape& s, ConstView x, View y);
void pixel_norm_grad(const PixelNormShape& s, ConstView dy, ConstView x, const Store& d);

} // namespace bifrons::kernels::cpu
