// data/import/faceswap_alignment.h - where faceswap cuts a face out of its frame.
//
//   A      the similarity that takes landmarks 17-67 to dlib's mean face, moved right by 0.009873, in a unit square
//   c      where the middle of the skull, (0, 0, -2.3) of an anthropometric head, appears in that square: the head is
//          turned and moved so that 26 of its points appear as near as possible to those of A's landmarks (least
//          squares), in a camera of focal length 4 whose axis is at (1/2, 1/2); it may lie behind it
//   p      round(0.3125 side), px: the border, 0.625 of the picture
//   face picture = (side - 2 p) (A - c + 1/2) + p,  whole numbers are centres of pixels
//
// Sources: faceswap's lib/align (its "head" centering, in which it writes faces); dlib,
// image_transforms/interpolation.h; the head: glAnthropometric3DModel.cpp of aifi.isr.uc.pt. Tests
// tests/data/faceswap_test.cpp
#pragma once

#include "data/geometry.h"

#include <cstdint>

namespace bifrons::data {

/// Frame -> face picture of side x side px.
Affine faceswap_face_from_frame(const Landmarks& in_frame, std::int64_t side);

} // namespace bifrons::data
