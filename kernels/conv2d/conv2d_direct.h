// kernels/conv2d/conv2d_direct.h - method `direct` of the convolution on a GPU: the definition's sums, a thread each.
// Any shape, f32 or bf16. The operations of conv2d.h, without the bias gradient.
#pragma once

#include "kernels/conv2d/conv2d.h"

namespace bifrons::kernels {

BIFRONS_SIMT_DECLARE(void run_direct(Exec ex, const Conv2dFwd& op); void run_direct(Exec ex, const Conv2dDgrad& op);
                     void run_direct(Exec ex, const Conv2dWgrad& op);)

} // namespace bifrons::kernels
