// data/face_chip.h - the square of a frame that dlib's face-recognition networks look at: get_face_chip_details() with
// 150 px and a padding of 0.25 (dlib, image_transforms/interpolation.h).
//
// A similarity fits the mean face to nose, eyes and upper lip; the chip is the mean face's unit square with a quarter
// of it added on each side. Tests tests/data/face_chip_test.cpp
#pragma once

#include "data/geometry.h"
#include "data/image.h"

namespace bifrons::data {

constexpr std::int64_t kChipSide = 150; ///< px

/// Frame -> chip; the chip's edges lie at -0.5 and 149.5.
Affine chip_from_frame(const Landmarks& in_frame);

/// The chip, BGR; landmarks in px of the picture, be it a frame or an aligned face.
Image face_chip(const Image& picture, const Landmarks& points);

} // namespace bifrons::data
