// data/merge/mask.h - which pixels of a face picture are pasted: its mask, shrunk and feathered.
//
// Widths are in px of a 256 px face picture, so that they look the same at every resolution.
// Tests tests/data/merge_test.cpp
#pragma once

#include "data/geometry.h"
#include "data/image.h"

namespace bifrons::data {

enum class MaskKind {
    hull,      ///< the landmarks' hull
    predicted, ///< what the model learned
    product    ///< both
};

/// 1 inside, 0 outside, [H,W,1], anti-aliased; in_face: landmarks in px of the face picture. `predicted` [H,W,1] is not
/// read for `hull`.
ImageF face_mask(MaskKind kind, const Landmarks& in_face, std::int64_t side, const ImageF& predicted);

/// Moves the mask's edge (where it is 1/2) inwards by erode_px, outwards if that is negative, and lets it fall from 1
/// to 0 over the feather_px inside that edge: nothing outside it is touched. The picture's edge counts as outside, and
/// the mask falls to 0 before it, however far it is moved outwards. Where both are 0 the mask is kept, but for the
/// picture's outermost pixels, which become 0.
ImageF shrink_and_feather(const ImageF& mask, double erode_px, double feather_px);

} // namespace bifrons::data
