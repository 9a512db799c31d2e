// kernels/augment/blur_outside.h - smooths what lies outside of the face, so that the network need not learn it:
// DeepFaceLab's blur_out_mask.
//
//   y = M x + (1 - M) blur((1 - M) x) / blur(1 - M)
//
// blur: Gaussian of the given sigma in a square window of max(3, 4 sigma) px, made odd; zero outside the picture. Both
// blurs end at the picture's edge alike, so that y is a weighted mean of the surroundings there too. (DeepFaceLab
// divides by 1 - blur(M), which counts what lies beyond the edge: its background darkens along it.)
//
// Definition  blur_outside_ref.h     CPU  blur_outside.cpp     CUDA  blur_outside.cu
// Tests  tests/kernels/blur_outside_test.cpp
// Source  DeepFaceLab's blur_out_mask (sigma = side / 128), which changes the targets of both identities and no input
#pragma once

#include "kernels/device/dispatch.h"

namespace bifrons::kernels {

struct BlurOutsideShape {
    std::int64_t N = 1, H = 1, W = 1;
    float sigma = 1; ///< px, 0.01..32

    /// Half the window: taps reach from -radius to +radius.
    int radius() const;
    std::int64_t pixels() const { return N * H * W; }
};

/// mask [N,H,W] 0..1 read, x [N,H,W,3] 0..1 read and written; f32. Deterministic.
/// Error: 3 gamma32((2 radius + 1)^2): all terms are positive, a mean of values up to 1, the sums of both blurs.
struct BlurOutside {
    static constexpr const char* kName = "blur_outside";
    BlurOutsideShape s = {};
    ConstView mask = {};
    View x = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(BlurOutside)

} // namespace bifrons::kernels
