// kernels/pointwise/mask_pixels_cpu.h - masked pictures on the cpu device.
#pragma once

#include "kernels/pointwise/mask_pixels.h"

namespace bifrons::kernels::cpu {

void mask_pixels(const MaskShape& s, ConstView x, ConstView m, const Store& d);

} // namespace bifrons::kernels::cpu
