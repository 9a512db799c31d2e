// kernels/resample/avg_pool_cpu.h - mean pooling on the cpu device.
#pragma once

#include "kernels/resample/avg_pool.h"

namespace bifrons::kernels::cpu {

void avg_pool_fwd(const AvgPoolShape& s, ConstView x, View y);
void avg_pool_grad(const AvgPoolShape& s, ConstView dy, const Store& d);

} // namespace bifrons::kernels::cpu
