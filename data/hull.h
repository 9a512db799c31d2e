// data/hull.h - regions of a face, from its landmarks. The face: their convex hull, with the brows lifted by half their
// distance to the eyes so that the lower forehead belongs to it. Tests tests/data/alignment_test.cpp
#pragma once

#include "data/geometry.h"
#include "data/image.h"

#include <span>
#include <vector>

namespace bifrons::data {

/// Corners of the region, counter-clockwise as seen (y down).
std::vector<Point> face_hull(const Landmarks& points);

/// [H,W,1] 0..255: 255 inside, 0 outside, the edge anti-aliased over one pixel.
Image hull_mask(const Landmarks& points, std::int64_t H, std::int64_t W);

/// [H,W,1] 0..1: the hull of each brow of these faces, grown by `grow` px, the edge anti-aliased over one pixel.
/// Landmarks 18-21 and 22-25: a brow's outer end lies at the hair.
ImageF brows_mask(std::span<const Landmarks> faces, double grow, std::int64_t H, std::int64_t W);

/// [H,W,1] 0..255: the hulls of both eyes (landmarks 36-41, 42-47) and of the inner lips (60-67), grown by
/// side/64 px, blurred by a Gaussian, and scaled so that the largest value is 255; all 0 if none of them is in the
/// picture. side: of the face square, px. DeepFaceLab's eyes_mouth_prio: it dilates with a disc of diameter h/32 and
/// blurs in a window of h/16, with OpenCV's sigma for it.
Image eyes_mouth_mask(const Landmarks& points, std::int64_t side, std::int64_t H, std::int64_t W);

} // namespace bifrons::data
