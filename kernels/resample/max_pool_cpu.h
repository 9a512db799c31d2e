// kernels/resample/max_pool_cpu.h - max pooling on the cpu device.
#pragma once

#include "kernels/resample/max_pool.h"

namespace bifrons::kernels::cpu {

void max_pool_fwd(const MaxPoolShape& s, ConstView x, View y, View index);
void max_pool_grad(const MaxPoolShape& s, ConstView dy, ConstView index, const Store& d);

} // namespace bifrons::kernels::cpu
