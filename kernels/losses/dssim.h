// kernels/losses/dssim.h - structural dissimilarity of two pictures, and its gradient.
//
//   ssim = (2 mu_a mu_b + c1)(2 cov_ab + c2) / ((mu_a^2 + mu_b^2 + c1)(var_a + var_b + c2))
//   loss = scale * mean over n, windows and channels of (1 - ssim) / 2
//
// Means, variances and covariance are taken under a Gaussian of sigma 1.5 px in a square window of `window` px, at
// valid positions only; k1 = 0.01, k2 = 0.03 for a range of 1. A mask, when given, multiplies both pictures first.
// Separable: taps below 2^-24 of the centre are left out, the window's cropping is kept.
// In f32 the loss of pictures that are alike does not cancel: its relative error is about 1e-6 times the largest
// mean square / (variance + c2) of a window.
//
// Source  Wang et al. 2004, IEEE TIP 13(4):600-612, eq. 13.
// Definition  dssim_ref.h      Shared by the devices  dssim_window.h      CPU  dssim_cpu.cpp      CUDA  dssim.cu
// Tests  tests/kernels/dssim_test.cpp
#pragma once

#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels {

struct DssimShape {
    std::int64_t N = 1, H = 1, W = 1, C = 1; // a, b [N,H,W,C] 0..1, mask [N,H,W]
    int window = 11;                         // 2..min(H, W)

    std::int64_t windows() const { return N * (H - window + 1) * (W - window + 1) * C; }
};

/// loss[0] = the formula above.   a, b read, mask read (may be empty); loss [1] written; slopes [3*windows()] written
/// for DssimGrad, or empty where no gradient is wanted. f32, or f64 (cpu), all alike.
/// Accumulated in a fixed order: the same bits for any thread count.
struct DssimFwd {
    static constexpr const char* kName = "dssim_fwd";
    DssimShape s = {};
    ConstView a = {}, b = {}, mask = {};
    float scale = 1;
    View loss = {}, slopes = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(DssimFwd)

/// v = upstream[0] * dloss/da, exact: no term is held constant; stored as d says. b gets no gradient. slopes as
/// DssimFwd of the same operands left them on this device, upstream [1] read.
struct DssimGrad {
    static constexpr const char* kName = "dssim_grad";
    DssimShape s = {};
    ConstView a = {}, b = {}, mask = {};
    float scale = 1;
    ConstView slopes = {}, upstream = {};
    Store d = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(DssimGrad)

/// On a GPU: windows, or pixels, of a block along each side; a forward block has its channel and leaves one sum.
constexpr std::int64_t kDssimTile = 32;
inline std::int64_t dssim_blocks(const DssimShape& s)
{
    const auto tiles = [](std::int64_t side) { return (side + kDssimTile - 1) / kDssimTile; };
    return s.N * s.C * tiles(s.H - s.window + 1) * tiles(s.W - s.window + 1);
}

} // namespace bifrons::kernels
