// kernels/augment/augment.h - draws a training batch from a faceset: flip, affine, elastic warp of the input only,
// colour of the input only.
//
// Sample i of a batch is a pure function of (seed, step, first + i, purpose): which face, flip, rotation, scale, shift,
// warp grid and colour shift are drawn from one Philox stream each (augment_draw.h). Input, target and masks share the
// affine transform, so that they stay aligned; only the input is warped.
//
//   out   = flip(scale * rotate(p) + shift)            p: in the face, out: in the drawn picture, both in sides from
//   input at out = face at p + warp(p),  target at out = face at p,  mask at out = mask at p              the centre
//   eyes_mouth at out = (eyes_mouth at p) (mask at p)
//
// With all options zero the batch is the face resized to the batch's side. Sampling takes 4 x 4 stored pixels:
//   up to 1.5 stored pixels per output pixel   pictures bicubically (Catmull-Rom), the mask bilinearly
//   above                                      both as the mean of four bilinear samples, half a stored pixel off
// the centre along each axis: the mean of 2 x 2 stored pixels where the ratio is 2. Faces stored at more than twice the
// side alias. Pictures repeat their border, the mask is zero outside.
//
// Definition  augment_draw.h (what is random), augment_ref.h     CPU  augment_cpu.cpp     CUDA  augment.cu
// Tests  tests/kernels/augment_test.cpp, tests/data/sampler_test.cpp
// Source  DeepFaceLab's warp (grid of 3, 5 or 9 points a side, displaced by at most 0.24 cells) and transform ranges;
//         Keys 1981, IEEE TASSP 29(6):1153 (bicubic convolution, a = -1/2)
#pragma once

#include "kernels/optim/step_state.h"

namespace bifrons::kernels {

/// One identity's faces on the device. Stored larger than the batch's side they keep their detail when enlarged.
struct Faces {
    std::int64_t count = 0;
    std::int64_t side = 0;     ///< px, the margin included
    std::int64_t margin = 0;   ///< px on each side that only turned, shrunk or shifted samples see
    ConstView images = {};     ///< [count, side, side, 3] u8, BGR
    ConstView masks = {};      ///< [count, side, side] u8, 0 outside the face, 255 inside
    ConstView eyes_mouth = {}; ///< [count, side, side] u8, 255 on eyes and mouth; empty if not requested
    ConstView recolored = {};  ///< [N, side, side, 3] u8: the samples' pictures in place of their faces', or empty

    /// Above 0: a sample's bin is drawn first, then one of its faces, so that rare poses come as often as common ones.
    std::int64_t yaw_bins = 0;
    ConstView yaw_begins = {}; ///< [yaw_bins + 1] i64: where each bin begins in yaw_faces; none is empty
    ConstView yaw_faces = {};  ///< [count] i64: faces, bin by bin
};

struct AugmentOptions {
    float rotation_deg = 10;     ///< uniform in +-; 0..180
    float scale = 0.15f;         ///< uniform in 1/(1+scale) .. 1+scale; 0..1
    float shift = 0.05f;         ///< of the side, uniform in +-, along either axis; 0..1
    float flip = 0.4f;           ///< probability
    bool warp = true;            ///< elastic warp of the input
    std::int64_t warp_steps = 0; ///< the warp ends after this step; 0: never
    float hue_deg = 0;           ///< input's hue turned, uniform in +-; 0..180
    float saturation = 0;        ///< input's HSV saturation times 1 + uniform in +-; 0..1. 0: no change
    float value = 0;             ///< input's HSV value likewise; 0..1
};

struct BatchShape {
    std::int64_t N = 1;        ///< samples drawn from this identity
    std::int64_t side = 64;    ///< px of the network's pictures
    std::uint32_t purpose = 0; ///< < 2^16; keeps the random numbers of several draws in one step apart (src 0, dst 1)
    std::int64_t first = 0;    ///< the first sample's number within the step
};

/// Where a batch's samples go, all f32 0..1, all written.
struct Samples {
    View input;           ///< [N,side,side,3], warped
    View target;          ///< [N,side,side,3], not warped
    View mask;            ///< [N,side,side,1], as the target
    View eyes_mouth = {}; ///< [N,side,side,1], as the target; may be empty
};

/// Draws N samples.
///   state: seed and step read, in device memory
/// Enqueued on ex.stream. Deterministic for any thread count; the random numbers have the same bits on every device.
/// Error: 64 * 2^-24 * max(side, faces.side), from positions: they are in error by less than 10 * 2^-24 of that many
/// px, a picture rises by less than 4 per px, and a colour shift at most doubles it. Throws Error(usage) for an option
/// out of its range, Error(data) without faces, Error(shape) for other element types.
struct Augment {
    static constexpr const char* kName = "augment";
    BatchShape s = {};
    AugmentOptions o = {};
    Faces faces = {};
    const StepState* state = nullptr;
    Samples out = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(Augment)

} // namespace bifrons::kernels
