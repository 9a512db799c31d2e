// data/merge/merge.h - puts a predicted face into its frame.
//
//   mask (mask.h)  ->  colours and light of the frame (kernels/color/color.h)  ->  sharpness (sharpen.h)  ->  blend:
//     none      the mask as it is, shrunk but not feathered
//     feather   frame + m (face - frame), m the feathered mask
//     poisson   the same with the face's gradients under the frame's colours: Dirichlet values on the edge of m > 0
//               (kernels/poisson/poisson.h)
//
// Masks, colours and light are worked out on the face picture, sharpness and blending on the frame. Tests
// tests/data/merge_test.cpp
#pragma once

#include "data/merge/mask.h"
#include "data/merge/scratch.h"
#include "kernels/color/match.h"

#include <memory>

namespace bifrons::data {

using ColorKind = kernels::ColorMatch; ///< none, rct, lct, mkl, idt, sot: kernels/color/match.h
enum class BlendKind { none, feather, poisson };

/// "hull", "predicted", "product"; "none", "rct", "lct", "mkl", "idt", "sot"; "none", "feather", "poisson".
const char* name_of(MaskKind kind);
const char* name_of(ColorKind kind);
const char* name_of(BlendKind kind);
/// The kind of that name. Throw Error(usage) for another.
MaskKind mask_kind_of(const std::string& name);
ColorKind color_kind_of(const std::string& name);
BlendKind blend_kind_of(const std::string& name);

struct MergeOptions {
    MaskKind mask = MaskKind::product;
    /// -100..100, of a face picture of 256; negative: the mask grows. Half the feather: the middle of the soft edge
    /// lies on the mask's, and the frame's own brows, which lie on the hull's, are covered.
    double erode_px = -8;
    double feather_px = 16; ///< 0..100, of a face picture of 256
    ColorKind color = ColorKind::rct;
    double alpha = 1;   ///< strength of the colour transfer, 0..1
    double beta = 0;    ///< strength of the light adjustment, 0..1
    double sharpen = 0; ///< share of the frame's sharpness that the face is brought to, 0..1; 0: as it is
    BlendKind blend = BlendKind::feather;
};

/// Throws Error(usage) that names the option, its value and its range.
void check(const MergeOptions& options);

/// One face of a frame, as the model sees it.
struct PredictedFace {
    Affine face_from_frame = {}; ///< frame -> face picture
    Landmarks in_frame = {};     ///< px of the frame
    ImageF face = {};            ///< [S,S,3] 0..1; values outside are clipped
    ImageF mask = {};            ///< [S,S,1] 0..1; may be empty for MaskKind::hull
};

/// Keeps memory from face to face. Threads: one a Merger, which it is to be made on.
class Merger {
  public:
    /// Checks the options. device: that of colours, light and Poisson's equation, which the Merger opens for itself, as
    /// kernels::open_device() does.
    explicit Merger(const MergeOptions& options, const std::string& device = "cpu");

    /// Pastes the face; what lies outside the frame is left out, and pixels outside the mask keep their bits.
    /// Deterministic. Throws Error(shape) if the pictures' sizes do not fit together, Error(usage) if the mask is to be
    /// predicted and the model predicts none.
    void merge(Image& frame, const PredictedFace& face);

  private:
    /// A rectangle of the frame with one pixel more on every side; what lies outside the frame repeats its edge.
    struct Region {
        std::int64_t top, left, H, W;
        ImageF target, face, mask;
    };

    ImageF colored(const Image& frame, const PredictedFace& face, const ImageF& mask);
    Region cut(const Image& frame, const Affine& frame_from_face, const ImageF& face, const ImageF& mask) const;
    void clone(Region& region);

    MergeOptions options_;
    std::unique_ptr<kernels::Device> device_;
    Scratch scratch_;
};

} // namespace bifrons::data
