// kernels/conv2d/conv2d_methods.h - the convolution's methods on a GPU, a row each: what one can compute, what it
// needs, and its code.
#pragma once

#include "kernels/conv2d/conv2d_tuning.h"

namespace bifrons::kernels {

struct Conv2dGpuMethod {
    Conv2dMethod method;
    const char *name, *limits; ///< limits: what a message says of a pass that it does not support
    bool (*supports)(Conv2dPass pass, const Conv2dShape& s, DType dtype);
    bool (*pays)(const Conv2dShape& s, DType dtype); ///< whether `automatic` may take it for a pass that it supports
    std::size_t (*workspace)(Conv2dPass pass, const Conv2dShape& s, DType dtype, Target target);
    /// Enqueue the operations of conv2d.h, without the bias gradient. Null for a pass that is never supported.
    void (*fwd)(const Exec& ex, const Conv2dFwd& op);
    void (*dgrad)(const Exec& ex, const Conv2dDgrad& op);
    void (*wgrad)(const Exec& ex, const Conv2dWgrad& op);
};

/// The row of the method that s names; of `automatic`, the first in order of preference that supports the pass and
/// pays. Throws Error(usage) for a method of the cpu.
const Conv2dGpuMethod& conv2d_gpu_method(Conv2dPass pass, const Conv2dShape& s, DType dtype);

} // namespace bifrons::kernels
