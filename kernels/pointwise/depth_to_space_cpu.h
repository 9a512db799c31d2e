// kernels/pointwise/depth_to_space_cpu.h - pixel shuffle on the cpu device.
#pragma once

#include "kernels/pointwise/depth_to_space.h"

namespace bifrons::kernels::cpu {

void depth_to_space(const DepthToSpaceShape& s, ConstView x, View y);
void space_to_depth(const DepthToSpaceShape& s, ConstView y, const Store& d);

} // namespace bifrons::kernels::cpu
