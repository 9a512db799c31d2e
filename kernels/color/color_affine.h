// kernels/color/color_affine.h - each pixel's three channels, masked, through one affine map: a picture of ours in the
// convention that another network was trained with.
//
//   y[i,k] = sum_j A[k][j] m_i x[i,j] + b[k]        m_i = mask[i], or 1 without a mask;  j, k = 0..2
//
// Definition  color_affine_ref.h     CPU  color_affine_cpu.cpp     CUDA  color_affine.cu
// Tests  tests/kernels/color_affine_test.cpp
#pragma once

#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels {

struct ColorAffine {
    double A[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
    double b[3] = {0, 0, 0};
};

/// y as above.   x [pixels,3] read   mask [pixels] read, may be empty   y [pixels,3] written
///   x and mask f32, or f64 (cpu only); y of x's type, or bf16, rounded once.
/// Error <= gamma32(4) * (the same sum of absolute values).   Throws Error(shape) for other element types.
struct ColorAffineFwd {
    static constexpr const char* kName = "color_affine_fwd";
    std::int64_t pixels = 0;
    ColorAffine map = {};
    ConstView x = {}, mask = {};
    View y = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(ColorAffineFwd)

/// v[i,j] = m_i sum_k A[k][j] dy[i,k], stored as d says.   dy of y's type read   d.out [pixels,3] of x's type written
/// Error <= gamma32(4) * (the same sum of absolute values).
struct ColorAffineGrad {
    static constexpr const char* kName = "color_affine_grad";
    std::int64_t pixels = 0;
    ColorAffine map = {};
    ConstView dy = {}, mask = {};
    Store d = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(ColorAffineGrad)

} // namespace bifrons::kernels
