// data/merge/merge.h - puts a predicted face into its frame.
//
//   mask (mask.h)  ->  colours and light of the frame (kernels/color/color.h)  ->  sharpness (sharpen.h),
//   motion_blur.h, noise.h, compress.h  ->  blend:
//     none      the mask as it is, shrunk but not feathered
//     feather   frame + m (face - frame), m the feathered mask
//     poisson   the same with the face's gradients under the frame's colours: Dirichlet values on the edge of m > 0,
//               taken from skin (boundary.h, kernels/poisson/poisson.h)
//
// rct, lct and mkl measure both faces' colours where either shows skin (color_cluster.h). Masks, colours and light are
// worked out on the face picture, sharpness and blending on the frame. Tests tests/data/merge_test.cpp
#pragma once

#include "data/merge/color_cluster.h"
#include "data/merge/layer.h"
#include "data/merge/mask.h"
#include "data/merge/scratch.h"
#include "kernels/color/match.h"

#include <memory>
#include <optional>

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
    std::optional<Sides> erode_px = {}; ///< -100..100, of a face picture of 256; negative: the mask grows
    Sides feather_px = 16.0;            ///< 0..100, of a face picture of 256
    ColorKind color = ColorKind::rct;
    double alpha = 1;                ///< strength of the colour transfer, 0..1
    double beta = 0;                 ///< strength of the light adjustment, 0..1
    double sharpen = 0;              ///< share of the frame's sharpness that the face is brought to, 0..1; 0: as it is
    double noise = 0;                ///< share of the frame's noise that the face is brought to, 0..1; 0: as it is
    double compress = 0;             ///< strength of a compression like JPEG's, 0..1; 0: off
    double motion_blur = 0;          ///< share of the way from frame to frame over which the face is smeared, 0..1
    double scale = 1;                ///< of the face, about its middle, 0.5..2
    double shift_x = 0, shift_y = 0; ///< of the face, -50..50 % of its picture's side
    double exclude = 0;              ///< strength with which what is in front of the face is left alone, 0..1
    double opacity = 1;              ///< 0..1
    BlendKind blend = BlendKind::feather;
};

/// What erode_px is when it is not given, px of a face picture of 256.
double default_erode(BlendKind blend);

/// Throws Error(usage) that names the option, its value and its range.
void check(const MergeOptions& options);

/// One face of a frame, as the model sees it.
struct PredictedFace {
    Affine face_from_frame = {};         ///< frame -> face picture
    Landmarks in_frame = {};             ///< px of the frame
    ImageF face = {};                    ///< [S,S,3] 0..1; values outside are clipped
    ImageF mask = {};                    ///< [S,S,1] 0..1; may be empty for MaskKind::hull
    Point motion = {};                   ///< of the face, px of the frame from one frame to the next
    std::int64_t frame = 0;              ///< its number
    std::optional<Landmarks> drawn = {}; ///< of the predicted face, px of its picture
    ImageF own_mask = {};                ///< [S,S,1] 0..1, in place of the landmarks' hull; mostly empty
    ImageF replaced = {};                ///< [S,S,3] 0..1, the frame's face, where it was cut out already
};

/// What a face is drawn for.
struct Canvas {
    const Image& frame;
    const Picture<std::uint16_t>* deep = nullptr; ///< the same with 16 bits a channel, in which it is blended
    const Image* visible = nullptr; ///< as large, of its first channel: 0 where something is in front of the face
};

/// Face picture -> frame, with what the options say of the face's size and place.
Affine frame_from_face(const PredictedFace& face, const MergeOptions& options);

/// Keeps memory from face to face. Threads: one a Merger, which it is to be made on.
class Merger {
  public:
    /// Checks the options. device: that of colours, light and Poisson's equation, which the Merger opens for itself, as
    /// kernels::open_device() does.
    explicit Merger(const MergeOptions& options, const std::string& device = "cpu");

    /// For the faces that follow. Checks them.
    void set(const MergeOptions& options);

    /// What pasting the face draws over the frame. Deterministic. Throws Error(shape) if the pictures' sizes do not fit
    /// together, Error(usage) if the mask is to be predicted and the model predicts none.
    Layer draw(const Canvas& canvas, const PredictedFace& face);
    /// Draws it and lays it over the frame.
    void merge(Image& frame, const PredictedFace& face) { lay_over(draw({.frame = frame}, face), frame); }

    /// What is left of the difference in colour with this transfer: mean CIE76 delta E between face and frame where the
    /// mask fades, on skin, after a Gaussian of side/32 px. 0 where no skin is.
    double color_difference(const Image& frame, const PredictedFace& face, ColorKind color);

  private:
    /// A rectangle of the frame with one pixel more on every side; what lies outside the frame repeats its edge.
    struct Region {
        std::int64_t top, left, H, W;
        ImageF target, face, mask;
    };

    /// A face under the frame's colours, ready to be pasted.
    struct Prepared {
        ImageF picture; ///< coloured
        ImageF target;  ///< the frame, as the face's picture shows it
        ImageF mask;    ///< shrunk and feathered
        ColorCluster face_skin, frame_skin;
    };

    void check(const Image& frame, const PredictedFace& face) const;
    Prepared prepare(const Image& frame, const PredictedFace& face, ColorKind color);
    void take_colors(ImageF& picture, const ImageF& target, const ImageF& mask, ColorKind color);
    void take_light(ImageF& picture, const ImageF& target, const ImageF& mask);
    void match_detail(Region& region, const PredictedFace& face) const;
    template <class T>
    Region cut(const Picture<T>& frame, const Affine& frame_from_face, const ImageF& face, const ImageF& mask) const;
    void clone(Region& region, const Prepared& prepared);

    MergeOptions options_;
    std::unique_ptr<kernels::Device> device_;
    Scratch scratch_;
};

} // namespace bifrons::data
