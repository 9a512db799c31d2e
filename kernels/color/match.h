// kernels/color/match.h - one picture's colours made like another's: DeepFaceLab's colour transfers.
//
//   rct  per channel of L*a*b*: (x - mean_x) std_y / std_x + mean_y, the ratio within 1/4 .. 4 (Reinhard 2001)
//   lct  A (x - mean_x) + mean_y,  A = Sy^(1/2) Sx^(-1/2)
//   mkl  the same,                 A = Sx^(-1/2) (Sx^(1/2) Sy Sx^(1/2))^(1/2) Sx^(-1/2)
//   idt  20 rotations of colour space: along each of their 3 axes x goes 1/20 of its way to y's distribution
//   sot  10 rounds of 5 directions: along each of them x goes 1/5 of its way to y's distribution; then of the whole way
//        only what is smooth is gone: Gaussian of sigma H/16, weighted with the mask
//
// Pictures are BGR 0..1, results are clipped to it. Means and deviations are weighted with the mask (1 without one);
// idt and sot take pixels whose mask is above 1/2, and move no others. A mask without weight: out = x.
//
// Sx, Sy: covariances + 1e-5 I, so that a picture of one colour has a root to divide by. Both maps carry mean_x and Sx
// exactly to mean_y and Sy; mkl is the one that moves colours least (Monge-Kantorovich), and symmetric.
//
// The way along a direction is that of optimal transport in one dimension: the k-th smallest projection of x goes to
// the k-th smallest of y. Here projections are counted in 2048 bins over the unit cube's own, and all of a bin's pixels
// go to the mean of what they would be sent to. So the mean way of a bin's pixels is exact within half a bin, at most
// sqrt(3)/4096 = 0.11 grey levels; only how they differ among each other, within 0.22 levels, is lost. Counting needs
// no sorting, and whole numbers have the same bits everywhere. (DeepFaceLab sorts for sot, and counts in 256 bins for
// idt. It smooths sot by a bilateral filter of 16 px whose range, 5, exceeds every difference: a Gaussian. It has 16 px
// at every size, so the two agree for pictures of 256 px alone: at 128 px it smooths twice as much of the face as H/16
// does, at 512 half as much. Here a face is smoothed alike at every resolution.)
//
// Definition  match_ref.h, color_map.h, slice.h      CPU  match_cpu.cpp      CUDA  match.cu
// Tests  tests/kernels/match_test.cpp
// Source  Pitie & Kokaram 2007, "The linear Monge-Kantorovitch linear colour mapping" (lct, mkl);
//         Pitie, Kokaram & Dahyot 2007, CVIU 107:123 (idt); Bonneel et al. 2015, JMIV 51:22 (sot)
#pragma once

#include "kernels/optim/step_state.h"

namespace bifrons::kernels {

enum class ColorMatch { none, rct, lct, mkl, idt, sot };

struct MatchShape {
    std::int64_t N = 1, H = 1, W = 1;
    ColorMatch kind = ColorMatch::none;
    std::uint32_t purpose = 0; ///< < 2^16: whose random directions, for idt and sot
    std::int64_t first = 0;    ///< number of the first pair among those of the step

    std::int64_t pixels() const { return H * W; }
};

/// N pairs of pictures.
///   x, y [N,H,W,3] f32 0..1 read     mask [N,H,W] f32 0..1 read, may be empty
///   out [N,H,W,3] f32 written, may be x's buffer
///   state: seed and step read, in device memory; null for both 0. A pair's directions depend on them, its number and
///          the purpose
/// Deterministic for any thread count. Error: rct 4e-5 where no ratio of deviations exceeds 4; lct, mkl 2^-20 times the
/// sum of A's magnitudes and the shift; idt none: the same bits on every device; sot gamma32(H) beside that.
/// Throws Error(shape) for a picture of 2^20 pixels or more.
struct MatchColors {
    static constexpr const char* kName = "color_match";
    MatchShape s = {};
    ConstView x = {}, y = {}, mask = {};
    const StepState* state = nullptr;
    View out = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(MatchColors)

} // namespace bifrons::kernels
