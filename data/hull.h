// data/hull.h - the region of a face, from its landmarks: their convex hull, with the brows lifted by half their
// distance to the eyes so that the lower forehead belongs to it. Tests tests/data/alignment_test.cpp
#pragma once

#include "data/geometry.h"
#include "data/image.h"

#include <vector>

namespace bifrons::data {

/// Corners of the region, counter-clockwise as seen (y down).
std::vector<Point> face_hull(const Landmarks& points);

/// [H,W,1] 0..255: 255 inside, 0 outside, the edge anti-aliased over one pixel.
Image hull_mask(const Landmarks& points, std::int64_t H, std::int64_t W);

} // namespace bifrons::data
