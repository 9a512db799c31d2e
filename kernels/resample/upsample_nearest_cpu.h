// kernels/resample/upsample_nearest_cpu.h - repetition of pixels on the cpu device.
#pragma once

#include "kernels/resample/upsample_nearest.h"

namespace bifrons::kernels::cpu {

void upsample_nearest_fwd(const UpsampleNearestShape& s, ConstView x, View y);
void upsample_nearest_grad(const UpsampleNearestShape& s, ConstView dy, const Store& d);

} // namespace bifrons::kernels::cpu
