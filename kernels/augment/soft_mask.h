// kernels/augment/soft_mask.h - the weight that masked training gives a pixel: inside 1, falling to 0 outside the edge.
//
//   y = 2 * min(blur(mask), 1/2)
//
// blur: Gaussian of the given sigma in a square window of max(3, 4 sigma) px, made odd; zero outside the picture, taps
// sum to 1.
//
// Definition  soft_mask_ref.h     CPU  soft_mask.cpp     CUDA  soft_mask.cu     Tests  tests/kernels/soft_mask_test.cpp
// Source  DeepFaceLab's masked_training (sigma = side / 32)
#pragma once

#include "kernels/device/dispatch.h"

namespace bifrons::kernels {

struct SoftMaskShape {
    std::int64_t N = 1, H = 1, W = 1; // mask, y [N,H,W]
    float sigma = 1;                  // px, 0.3..64

    /// Half the window: taps reach from -radius to +radius.
    int radius() const;
    std::int64_t size() const { return N * H * W; }
};

/// mask [N,H,W] 0..1 read, y [N,H,W] 0..1 written, not in place; f32, or f64 (cpu), alike. Deterministic.
/// Error: gamma32((2 radius + 1)^2), all terms being positive and their sum at most 1.
struct SoftMask {
    static constexpr const char* kName = "soft_mask";
    SoftMaskShape s = {};
    ConstView mask = {};
    View y = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(SoftMask)

} // namespace bifrons::kernels
