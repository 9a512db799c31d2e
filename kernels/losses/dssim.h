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
// Source  Wang et al. 2004, IEEE TIP 13(4):600-612, eq. 13.      Definition  dssim_ref.h      CPU  dssim_cpu.cpp
// Tests  tests/kernels/dssim_test.cpp
#pragma once

#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels {

struct DssimShape {
    std::int64_t N = 1, H = 1, W = 1, C = 1; // a, b [N,H,W,C] 0..1, mask [N,H,W]
    int window = 11;                         // 2..min(H, W)
};

/// loss[0] = the formula above.   a, b read, mask read (may be empty); loss [1] written. f32, or f64 (cpu), all alike.
/// Accumulated in a fixed order: the same bits for any thread count.
void dssim_fwd(Exec ex, const DssimShape& s, ConstView a, ConstView b, ConstView mask, float scale, View loss);
Cost dssim_fwd_cost(const DssimShape& s, DType dtype, Target target);

/// v = upstream[0] * dloss/da, exact: no term is held constant; stored as d says. b gets no gradient. upstream [1]
/// read.
void dssim_grad(Exec ex, const DssimShape& s, ConstView a, ConstView b, ConstView mask, float scale, ConstView upstream,
                const Store& d);
Cost dssim_grad_cost(const DssimShape& s, DType dtype, const Store& d, Target target);

} // namespace bifrons::kernels
