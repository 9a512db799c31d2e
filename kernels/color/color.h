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

#include "kernels/device/dispatch.h"

namespace bifrons::kernels {

/// n pixels; lab and bgr may be one buffer. lab.h has the formulas. Error of L <= 4e-5, of a and b <= 4e-4; back: 1e-5.
struct BgrToLab {
    static constexpr const char* kName = "bgr_to_lab";
    std::int64_t n = 0;
    ConstView bgr = {};
    View lab = {};

    void check(Target) const {}
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(BgrToLab)

struct LabToBgr {
    static constexpr const char* kName = "lab_to_bgr";
    std::int64_t n = 0;
    ConstView lab = {};
    View bgr = {};

    void check(Target) const {}
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(LabToBgr)

/// x [n,3] of any unit, mask [n] read; statistics [6] written: the means, then the deviations; 0 if the mask is 0.
/// Summed in double: deterministic, error <= 2^-23 max|x|.
struct ColorStatistics {
    static constexpr const char* kName = "color_statistics";
    std::int64_t n = 0;
    ConstView x = {}, mask = {};
    View statistics = {};

    void check(Target) const {}
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(ColorStatistics)

/// x, target [n,3], mask [n] read; out [n,3] written, may be x's buffer. alpha 0..1; 0 returns x to the bit.
/// Deterministic. Error <= 4e-5 where no ratio of deviations exceeds 4.
struct ColorTransfer {
    static constexpr const char* kName = "color_transfer";
    std::int64_t n = 0;
    ConstView x = {}, target = {}, mask = {};
    float alpha = 1;
    View out = {};

    void check(Target device) const;
    Cost cost(Target device) const;
};
BIFRONS_OPERATION(ColorTransfer)

/// Pictures [H,W,3]. sigma: of the low-pass, px.
struct LightShape {
    std::int64_t H = 1, W = 1;
    float sigma = 1;
    std::int64_t pixels() const { return H * W; }
};

/// x, target [H,W,3], mask [H,W] read; out [H,W,3] written, may be x's buffer; not clipped. beta 0..1; 0 returns x to
/// the bit. Where the Gaussian sees no mask, the gain is 1. Deterministic.
struct LightTransfer {
    static constexpr const char* kName = "light_transfer";
    LightShape s = {};
    ConstView x = {}, target = {}, mask = {};
    float beta = 1;
    View out = {};

    void check(Target device) const;
    Cost cost(Target device) const;
};
BIFRONS_OPERATION(LightTransfer)

/// Blocks that sum over a picture on a GPU; each leaves its sums, in f64, in the workspace.
constexpr unsigned kColorSumBlocks = 128;

} // namespace bifrons::kernels
