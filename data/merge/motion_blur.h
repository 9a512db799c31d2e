// data/merge/motion_blur.h - the smear of what moves while the shutter is open.
//
//   y(p) = 1/n sum_k x(p + (k / (n - 1) - 1/2) motion)    n = ceil(|motion|) + 1, bilinear, the border repeats
//
// Tests tests/data/merge_test.cpp
#pragma once

#include "data/geometry.h"
#include "data/image.h"

namespace bifrons::data {

/// motion: px. Shorter than half a pixel: nothing changes.
void motion_blur(ImageF& picture, Point motion);

} // namespace bifrons::data
