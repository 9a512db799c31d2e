// kernels/pointwise/pixel_norm.h - each sample divided by the root mean square of all its features (DeepFaceLab's flag
// `u`: the flattened vector, one scalar per sample, not one per pixel).
//
//   y[n,i] = r x[n,i]        r = 1 / sqrt(mean_j x[n,j]^2 + 1e-6)
//
// Definition  pixel_norm_ref.h     CPU  pixel_norm_cpu.cpp     CUDA  pixel_norm.cu
// Tests  tests/kernels/pixel_norm_test.cpp
// Source  Karras, Aila, Laine & Lehtinen 2018, arXiv:1710.10196, sec. 4.2, over the features of a whole sample
#pragma once

#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels {

struct PixelNormShape {
    std::int64_t N = 1, F = 1; // x, y [N,F]

    BIFRONS_HD std::int64_t size() const { return N * F; }
};

/// y as above.   x read   y written, may be x's own buffer   f32 or bf16 with the mean accumulated in f64,
/// or f64 (cpu only), alike. Deterministic. Error <= 3 ulp of y.   Throws Error(shape) for other element types.
struct PixelNormFwd {
    static constexpr const char* kName = "pixel_norm_fwd";
    PixelNormShape s = {};
    ConstView x = {};
    View y = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(PixelNormFwd)

/// v[n,i] = r (dy[n,i] - x[n,i] r^2 mean_j dy[n,j] x[n,j]), stored as d says.   dy, x [N,F] read   d.out [N,F] written
/// Deterministic. Error <= 2^-22 r (|dy[n,i]| + |x[n,i]| r^2 |mean_j dy[n,j] x[n,j]|) for f32.
struct PixelNormGrad {
    static constexpr const char* kName = "pixel_norm_grad";
    PixelNormShape s = {};
    ConstView dy = {}, x = {};
    Store d = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(PixelNormGrad)

/// On a GPU: the sums of x^2 and dy x over a part of a sample; a sample has at most a warp's width of parts.
struct PixelNormMoments {
    double squares, products;
};
inline std::int64_t pixel_norm_blocks(const PixelNormShape& s)
{
    return std::clamp<std::int64_t>(s.F / 4096, 1, 32);
}

} // namespace bifrons::kernels
