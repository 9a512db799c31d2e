// kernels/resample/pad_reflect_cpu.h - the mirrored rim on the cpu device.
#pragma once

#include "kernels/resample/pad_reflect.h"

namespace bifrons::kernels::cpu {

void pad_reflect_fwd(const PadReflectShape& s, ConstView x, View y);
void pad_reflect_grad(const PadReflectShape& s, ConstView dy, const Store& d);

} // namespace bifrons::kernels::cpu
