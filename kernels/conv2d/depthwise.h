// kernels/conv2d/depthwise.h - a convolution of each channel with a filter of its own. Forward only: networks that are
// run, not trained.
//
//   y[n,p,q,c] = bias[c] + sum_{r,s} x[n, p*stride + r - before(H), q*stride + s - before(W), c] w[r,s,c]
//
// Outside of x there are zeros. The sides are divided by the stride and rounded up; where an odd number of rows or
// columns has to be added for that, the larger part is below and at the right (TensorFlow's "same").
//
// Definition  depthwise_ref.h      CPU  depthwise_cpu.cpp      CUDA  depthwise.cu
// Tests  tests/kernels/depthwise_test.cpp
#pragma once

#include "kernels/device/dispatch.h"

namespace bifrons::kernels {

struct DepthwiseShape {
    std::int64_t N = 1, H = 1, W = 1, C = 1; // x [N,H,W,C]
    std::int64_t window = 3, stride = 1;     // w [window,window,C]

    BIFRONS_HD std::int64_t P() const { return (H + stride - 1) / stride; } // y [N,P,Q,C]
    BIFRONS_HD std::int64_t Q() const { return (W + stride - 1) / stride; }
    /// Rows or columns of zeros before those of an axis of this length.
    BIFRONS_HD std::int64_t before(std::int64_t side) const
    {
        const std::int64_t missing = ((side + stride - 1) / stride - 1) * stride + window - side;
        return missing > 0 ? missing / 2 : 0;
    }
    BIFRONS_HD std::int64_t x_size() const { return N * H * W * C; }
    BIFRONS_HD std::int64_t y_size() const { return N * P() * Q() * C; }
};

/// y as above.   x [N,H,W,C], w [window,window,C], bias [C] (may be empty) read   y [N,P,Q,C] written
///   f32, or f64 (cpu), all alike. Taps are added row by row, in order: deterministic.
/// Error <= gamma32(window^2 + 1) * (|bias| + sum |x w|).
/// Throws Error(shape) for a window or a stride below 1 or other element types.
struct Depthwise {
    static constexpr const char* kName = "depthwise";
    DepthwiseShape s = {};
    ConstView x = {}, w = {}, bias = {};
    View y = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(Depthwise)

} // namespace bifrons::kernels
