// data/warp.h - pictures under an affine map, without aliasing.
//
//   out(q) = sum_p k(p - s) in(p) / sum_p k(p - s),   s = out_from_in^-1 (q),   k(d) = cubic(d.x / r) cubic(d.y / r)
//
// over all p of the infinite picture whose border repeats; r = max(1, how many input pixels an output pixel covers a
// side) widens the filter when the picture shrinks. cubic: Keys 1981 (IEEE ASSP 29(6):1153), a = -1/2.
// Tests tests/data/warp_test.cpp
#pragma once

#include "data/geometry.h"
#include "data/image.h"

namespace bifrons::data {

/// A picture of H x W; bytes are rounded and clipped, floats are neither. Throws Error(data) for a map that is not
/// finite, cannot be turned around, or lets a pixel cover many times the whole picture.
Image warp(const Image& in, const Affine& out_from_in, std::int64_t H, std::int64_t W);
ImageF warp(const ImageF& in, const Affine& out_from_in, std::int64_t H, std::int64_t W);

/// Luma (BT.601 weights), one channel.
Image to_grey(const Image& bgr);
ImageF to_grey(const ImageF& bgr);

} // namespace bifrons::data
