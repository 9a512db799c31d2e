// data/merge/mask.h - which pixels of a face picture are pasted: its mask, shrunk and feathered.
//
// Widths are in px of a 256 px face picture, so that they look the same at every resolution.
// Tests tests/data/merge_test.cpp
#pragma once

#include "data/geometry.h"
#include "data/image.h"
#include "data/merge/color_cluster.h"

#include <span>

namespace bifrons::data {

/// A width on each side of the face, as its picture shows it; between them it changes evenly with the direction.
struct Sides {
    double top, bottom, left, right;
    /// The same on all.
    Sides(double all) : Sides(all, all, all, all) {}
    Sides(double at_top, double at_bottom, double at_left, double at_right)
        : top(at_top), bottom(at_bottom), left(at_left), right(at_right)
    {
    }
    bool operator==(const Sides&) const = default;
};

enum class MaskKind {
    hull,      ///< the landmarks' hull, or the face's own mask
    predicted, ///< what the model learned
    product    ///< both
};

/// 1 inside, 0 outside, [H,W,1], anti-aliased. faces: landmarks in px of the face picture, of the frame's face and,
/// where they are known, of the predicted one; the hull is the first one's, and the brows of all belong to it.
/// `predicted` [H,W,1] is not read for `hull`. own [H,W,1]: takes the place of the hull and its brows; may be empty.
ImageF face_mask(MaskKind kind, std::span<const Landmarks> faces, std::int64_t side, const ImageF& predicted,
                 const ImageF& own = {});

/// Takes the drawn face's hair out of its mask: above the line halfway between brows and eyes, what has not its skin's
/// colour (weight below 1/2) and hangs together with the outside, but for the brows. It would be pasted onto the
/// forehead of the frame's face, which has hair of its own. face: its landmarks, px of the picture.
void cut_hair(ImageF& mask, const ImageF& picture, const ColorCluster& skin, const Landmarks& face);

/// Moves the mask's edge (where it is 1/2) inwards by erode_px, outwards if that is negative, and lets it fall from 1
/// to 0 over the feather_px inside that edge: nothing outside it is touched. The picture's edge counts as outside, and
/// the mask falls to 0 before it, however far it is moved outwards. Where both are 0 the mask is kept, but for the
/// picture's outermost pixels, which become 0.
/// brows: of these faces (see face_mask) the brows stay in the mask, so far as they are in it, up to 4 px around them;
/// the frame's own would show beside the pasted ones. Sides are told by the direction from the mask's middle:
///   width(d) = d.x^2 (left or right) + d.y^2 (top or bottom),   |d| = 1
ImageF shrink_and_feather(const ImageF& mask, const Sides& erode_px, const Sides& feather_px,
                          std::span<const Landmarks> brows = {});

} // namespace bifrons::data
