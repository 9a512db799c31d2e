// kernels/augment/recolor.h - a batch's faces in the colours of another identity's: DeepFaceLab's ct_mode.
//
// The face that augment() will draw for sample n takes the colours (kernels/color/match.h) of one that is drawn from
// `references`: whole stored pictures, without a mask, before they are turned or warped, so that input and target get
// the same. augment() takes what comes out as Faces::recolored.
//
// Definition  kernels/color/match_ref.h     CPU  recolor.cpp     CUDA  recolor.cu
// Tests  tests/kernels/recolor_test.cpp
#pragma once

#include "kernels/augment/augment.h"
#include "kernels/color/match.h"

namespace bifrons::kernels {

/// s: as augment() gets it.   out [N, faces.side, faces.side, 3] u8 written: rounded to nearest
/// Both identities' pictures are of one side. Deterministic; the same faces and directions on every device. Error: half
/// a level, and color_match's before it is rounded. Throws Error(shape) for sides that differ, and as color_match.
void recolor(Exec ex, const BatchShape& s, ColorMatch kind, const Faces& faces, const Faces& references,
             const StepState* state, View out);
/// side: of the stored pictures.
Cost recolor_cost(const BatchShape& s, ColorMatch kind, std::int64_t side, Target target);

/// Random numbers of the references and of the directions, apart from augment()'s.
constexpr std::uint32_t kReferencePurpose = 1u << 14, kDirectionPurpose = 1u << 15;

BIFRONS_SIMT_DECLARE(void recolor(Exec ex, const BatchShape& s, ColorMatch kind, const Faces& faces,
                                  const Faces& references, const StepState* state, View out);)

} // namespace bifrons::kernels
