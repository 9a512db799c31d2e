// kernels/augment/augment.h - draws a training batch from a faceset: flip, affine, elastic warp of the input only,
// colour.
//
// Sample i of a batch is a pure function of (seed, step, i): face index, flip, rotation, scale, shift, warp grid and
// colour shift come from Philox keyed by them. Input and target share the affine transform; only the input is warped.
//
// Definition  augment_ref.h     CPU  augment_cpu.cpp     Tests  tests/kernels/augment_test.cpp
// Source  DeepFaceLab's warp (grid of 3, 5 or 9 points a side, displaced by at most 0.24 cells) and transform ranges
#pragma once

#include "kernels/optim/step_state.h"

namespace bifrons::kernels {

/// One identity's faces on the device: stored larger than the training side, so that shifts find real pixels.
struct Faces {
    std::int64_t count = 0;
    std::int64_t side = 0; ///< px, >= the batch's side
    ConstView images = {}; ///< [count, side, side, 3] u8, BGR
    ConstView masks = {};  ///< [count, side, side] u8, 0 outside the face, 255 inside
};

struct AugmentOptions {
    float rotation_deg = 10;                      ///< uniform in +-
    float scale = 0.15f;                          ///< uniform in 1/(1+scale) .. 1+scale
    float shift = 0.05f;                          ///< of the side, uniform in +-
    float flip = 0.4f;                            ///< probability
    bool warp = true;                             ///< elastic warp of the input
    float hue_deg = 0, saturation = 0, value = 0; ///< HSV jitter of the input, uniform in +-; 0: none
};

struct BatchShape {
    std::int64_t N = 1;        ///< samples drawn from this identity
    std::int64_t side = 64;    ///< px of the network's pictures
    std::uint32_t purpose = 0; ///< keeps the random numbers of several draws in one step apart (src 0, dst 1)
};

/// Draws N samples.
///   state: seed and step read on the device
///   input [N,side,side,3] f32 0..1 written, warped     target [N,side,side,3] f32 0..1 written, not warped
///   mask [N,side,side,1] f32 0..1 written, as the target
/// Pictures are sampled bicubically or bilinearly (see the definition), borders repeat, masks are zero outside.
/// Deterministic; the random numbers have the same bits on every device.
void augment(Exec ex, const BatchShape& s, const AugmentOptions& o, const Faces& faces, const StepState* state,
             View input, View target, View mask);
Cost augment_cost(const BatchShape& s);

} // namespace bifrons::kernels
