// kernels/losses/total_variation.h - how much neighbouring pixels differ: what bright dots cost.
//
//   loss = scale / N * sum_{n,y,x,c} (p[n,y+1,x,c] - p[n,y,x,c])^2 + (p[n,y,x+1,c] - p[n,y,x,c])^2
//
// over the pairs within each picture: a sum over a picture, a mean over the pictures.
//
// Definition  total_variation_ref.h      CPU  total_variation_cpu.cpp      CUDA  total_variation.cu
// Tests  tests/kernels/total_variation_test.cpp
// Source  DeepFaceLab's total_variation_mse
#pragma once

#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels {

struct TotalVariationShape {
    std::int64_t N = 1, H = 1, W = 1, C = 1; // p [N,H,W,C]
    BIFRONS_HD std::int64_t size() const { return N * H * W * C; }
};

/// loss[0] = the formula above.   p read; loss [1] written; f32, or f64 (cpu), alike.
/// Accumulated in f64 in a fixed order: the same bits for any thread count.   Error <= loss * 2^-21 for f32.
/// Throws Error(shape).
struct TotalVariationFwd {
    static constexpr const char* kName = "total_variation_fwd";
    TotalVariationShape s = {};
    ConstView p = {};
    float scale = 1;
    View loss = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(TotalVariationFwd)

/// v = upstream[0] * dloss/dp = upstream[0] * 2 scale / N * (the sum of p's differences to its neighbours), stored as d
/// says.   upstream [1] read (device memory).
/// Error <= 2^-21 * the same with the differences' absolute values, for f32.
struct TotalVariationGrad {
    static constexpr const char* kName = "total_variation_grad";
    TotalVariationShape s = {};
    ConstView p = {};
    float scale = 1;
    ConstView upstream = {};
    Store d = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(TotalVariationGrad)

} // namespace bifrons::kernels
