// kernels/resample/resize_bilinear.h - bilinear resizing from any size to any size, pixel centres at half-integers.
//
//   position  h = (p + 1/2) H/P - 1/2, kept within 0 .. H-1;   a = floor(h), t = h - a
//   y[p] = (1-t) x[a] + t x[min(a+1, H-1)]                      along rows, and the same along columns
//
// This is PyTorch's interpolate(mode="bilinear", align_corners=False) without antialias: shrinking by more than two
// skips pixels.
//
// Definition  resize_bilinear_ref.h     CPU  resize_bilinear_cpu.cpp     CUDA  resize_bilinear.cu
// Tests  tests/kernels/resize_bilinear_test.cpp
#pragma once

#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels {

struct ResizeBilinearShape {
    std::int64_t N = 1, H = 1, W = 1, C = 1; // x [N,H,W,C]
    std::int64_t P = 1, Q = 1;               // y [N,P,Q,C]

    BIFRONS_HD std::int64_t x_size() const { return N * H * W * C; }
    BIFRONS_HD std::int64_t y_size() const { return N * P * Q * C; }
};

/// y as above.   x [N,H,W,C] read   y [N,P,Q,C] written   f32, bf16 or f64 (cpu only), alike
/// Positions are computed in integers, so a and t are the same everywhere (t rounded once).
/// Error <= gamma32(4) * the largest |x| of the four.   Throws Error(shape) for sides outside 1..32767 or other element
/// types.
struct ResizeBilinearFwd {
    static constexpr const char* kName = "resize_bilinear_fwd";
    ResizeBilinearShape s = {};
    ConstView x = {};
    View y = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(ResizeBilinearFwd)

/// The adjoint: v[h,w] = sum over p,q of (weight of x[h,w] in y[p,q]) * dy[p,q], stored as d says.
///   dy [N,P,Q,C] read   d.out [N,H,W,C] written
/// Gathered in row-major order of dy: deterministic. Error <= gamma32(n) * sum |dy| over the n outputs that x[h,w] is
/// in.
struct ResizeBilinearGrad {
    static constexpr const char* kName = "resize_bilinear_grad";
    ResizeBilinearShape s = {};
    ConstView dy = {};
    Store d = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(ResizeBilinearGrad)

} // namespace bifrons::kernels
