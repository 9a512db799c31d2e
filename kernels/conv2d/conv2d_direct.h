// kernels/conv2d/conv2d_direct.h - method `direct` of the convolution on a GPU: the definition's sums, a thread each.
// Any shape, f32 or bf16. The operations of conv2d.h, without the bias gradient.
#pragma once

#include "kernels/conv2d/conv2d.h"

namespace bifrons::kernels {

BIFRONS_SIMT_DECLARE(
    void conv2d_fwd_direct(Exec ex, const Conv2dShape& s, ConstView x, ConstView w, View y, const Epilogue& e);
    void conv2d_dgrad_direct(Exec ex, const Conv2dShape& s, ConstView dy, ConstView w, const GradientOrValue& out);
    void conv2d_wgrad_direct(Exec ex, const Conv2dShape& s, ConstView dy, ConstView x, View dw, bool accumulate);)

} // namespace bifrons::kernels
