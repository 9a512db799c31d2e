// kernels/pointwise/cast_cpu.h - a copy in another element type, on the cpu device.
#pragma once

#include "kernels/pointwise/cast.h"

namespace bifrons::kernels::cpu {

void cast(std::int64_t n, ConstView x, View y);

} // namespace bifrons::kernels::cpu
