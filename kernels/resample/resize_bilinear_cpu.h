// kernels/resample/resize_bilinear_cpu.h - bilinear resizing on the cpu device.
#pragma once

#include "kernels/resample/resize_bilinear.h"

namespace bifrons::kernels::cpu {

void resize_bilinear_fwd(const ResizeBilinearShape& s, ConstView x, View y);
void resize_bilinear_grad(const ResizeBilinearShape& s, ConstView dy, const Store& d);

} // namespace bifrons::kernels::cpu
