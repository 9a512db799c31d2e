// kernels/pointwise/mask_pixels.h - a picture inside a soft mask, or outside of it.
//
//   v[row,c] = m[row] x[row,c]            outside: v[row,c] = (1 - m[row]) x[row,c]
//
// Linear and symmetric: the gradient is the same operation on the gradient.
//
// Definition  mask_pixels_ref.h      CPU  mask_pixels_cpu.cpp      CUDA  mask_pixels.cu
// Tests  tests/kernels/mask_pixels_test.cpp
#pragma once

#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels {

enum class MaskSide { inside, outside };

struct MaskShape {
    std::int64_t rows = 1, C = 1; // x [rows,C], m [rows] (rows = N*H*W)
    MaskSide side = MaskSide::inside;
};

/// v as above, stored as d says.   x, m read; d.out [rows,C] written, not in place; f32, or f64 (cpu), all alike.
/// Elementwise: deterministic; error <= 2^-23 |x| for f32 and m in 0..1.   Throws Error(shape).
struct MaskPixels {
    static constexpr const char* kName = "mask_pixels";
    MaskShape s = {};
    ConstView x = {}, m = {};
    Store d = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(MaskPixels)

} // namespace bifrons::kernels
