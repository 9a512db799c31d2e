// kernels/color/color_affine_cpu.h - the affine map of colours on the cpu device.
#pragma once

#include "kernels/color/color_affine.h"

namespace bifrons::kernels::cpu {

void color_affine_fwd(std::int64_t pixels, const ColorAffine& map, ConstView x, ConstView mask, View y);
void color_affine_grad(std::int64_t pixels, const ColorAffine& map, ConstView dy, ConstView mask, const Store& d);

} // namespace bifrons::kernels::cpu
