// kernels/augment/recolor.h - a batch's faces in the colours of another identity's: DeepFaceLab's ct_mode.
//
// The face that Augment will draw for sample n takes the colours (kernels/color/match.h) of one that is drawn from
// `references`: whole stored pictures, without a mask, before they are turned or warped, so that input and target get
// the same. Augment takes what comes out as Faces::recolored.
//
// Definition  kernels/color/match_ref.h     CPU  recolor.cpp     CUDA  recolor.cu
// Tests  tests/kernels/recolor_test.cpp
#pragma once

#include "kernels/augment/augment.h"
#include "kernels/color/match.h"

namespace bifrons::kernels {

/// s: as Augment gets it.   out [N, faces.side, faces.side, 3] u8 written: rounded to nearest
/// Both identities' pictures are of one side. Deterministic; the same faces and directions on every device. Error: half
/// a level, and MatchColors' before it is rounded. Throws Error(shape) for sides that differ, and as MatchColors.
struct Recolor {
    static constexpr const char* kName = "recolor";
    BatchShape s = {};
    ColorMatch kind = ColorMatch::none;
    Faces faces = {}, references = {};
    const StepState* state = nullptr;
    View out = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(Recolor)

/// Random numbers of the references and of the directions, apart from Augment's.
constexpr std::uint32_t kReferencePurpose = 1u << 14, kDirectionPurpose = 1u << 15;

} // namespace bifrons::kernels
