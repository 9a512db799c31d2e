// kernels/color/color.h - fitting one face's colours and light to another's.
//
//   statistics   mean_c = sum m x_c / sum m,  std_c = sqrt(sum m (x_c - mean_c)^2 / sum m)
//   transfer     out = (1 - alpha) x + alpha bgr((lab(x) - mean_x) std_target / std_x + mean_target)
//   light        out = x gain,  gain = clip(low(Y(target)) / low(Y(x)), 1/2, 2)^beta,  low(y) = G(m y) / G(m)
//
// Means and deviations are those of L*a*b* under the mask; the ratio of deviations is clipped to 1/4 .. 4. (Reinhard,
// Ashikhmin, Gooch, Shirley 2001, "Color transfer between images", with CIE L*a*b* in place of l-alpha-beta.) Y is
// 0.0722 B + 0.7152 G + 0.2126 R of the stored values, G a Gaussian.
//
// Pictures are [n,3] f32, blue green red, 0..1; masks [n] f32, weights >= 0. With a mask that is 0 everywhere, transfer
// and light return x.
//
// Definition  color_ref.h, lab.h      CPU  color_cpu.cpp      CUDA  color.cu      Tests  tests/kernels/color_test.cpp
#pragma once

#include "kernels/device/device.h"

namespace bifrons::kernels {

/// n pixels; lab and bgr may be one buffer. lab.h has the formulas. Error of L <= 4e-5, of a and b <= 4e-4; back: 1e-5.
void bgr_to_lab(Exec ex, std::int64_t n, ConstView bgr, View lab);
void lab_to_bgr(Exec ex, std::int64_t n, ConstView lab, View bgr);
Cost lab_cost(std::int64_t n);

/// x [n,3] of any unit, mask [n] read; statistics [6] written: the means, then the deviations; 0 if the mask is 0.
/// Summed in double: deterministic, error <= 2^-23 max|x|.
void color_statistics(Exec ex, std::int64_t n, ConstView x, ConstView mask, View statistics);
Cost color_statistics_cost(std::int64_t n, Target target);

/// x, target [n,3], mask [n] read; out [n,3] written, may be x's buffer. alpha 0..1; 0 returns x to the bit.
/// Deterministic. Error <= 4e-5 where no ratio of deviations exceeds 4.
void color_transfer(Exec ex, std::int64_t n, ConstView x, ConstView target, ConstView mask, float alpha, View out);
Cost color_transfer_cost(std::int64_t n, Target target);

/// Pictures [H,W,3]. sigma: of the low-pass, px.
struct LightShape {
    std::int64_t H = 1, W = 1;
    float sigma = 1;
    std::int64_t pixels() const { return H * W; }
};

/// x, target [H,W,3], mask [H,W] read; out [H,W,3] written, may be x's buffer; not clipped. beta 0..1; 0 returns x to
/// the bit. Where the Gaussian sees no mask, the gain is 1. Deterministic.
void light_transfer(Exec ex, const LightShape& s, ConstView x, ConstView target, ConstView mask, float beta, View out);
Cost light_transfer_cost(const LightShape& s, Target target);

/// Blocks that sum over a picture on a GPU; each leaves its sums, in f64, in the workspace.
constexpr unsigned kColorSumBlocks = 128;

BIFRONS_SIMT_DECLARE(void bgr_to_lab(Exec ex, std::int64_t n, ConstView bgr, View lab);
                     void lab_to_bgr(Exec ex, std::int64_t n, ConstView lab, View bgr);
                     void color_statistics(Exec ex, std::int64_t n, ConstView x, ConstView mask, View statistics);
                     void color_transfer(Exec ex, std::int64_t n, ConstView x, ConstView target, ConstView mask,
                                         float alpha, View out);
                     void light_transfer(Exec ex, const LightShape& s, ConstView x, ConstView target, ConstView mask,
                                         float beta, View out);)

} // namespace bifrons::kernels
