// data/jitter.h - how unsteady a face is from frame to frame: mean size of the second difference in time, which is zero
// for what rests or moves evenly.
//
//   landmarks  mean over t and points of |p(t+1) - 2 p(t) + p(t-1)| / d,   d the clip's mean distance between the eyes
//   colour     mean over t and channels of |c(t+1) - 2 c(t) + c(t-1)|,     c the mean colour of the face, levels 0..255
//
// Points 17-47 (brows, nose, eyes): the mouth talks, and the jaw has no edge to hold on to. The second difference is
// the acceleration error of human motion in video (Kocabas, Athanasiou, Black 2020, CVPR, sec. 4) without a ground
// truth: compare with that of the footage that went in. Tests tests/data/jitter_test.cpp
#pragma once

#include "data/geometry.h"
#include "data/image.h"

#include <optional>
#include <vector>

namespace bifrons::data {

/// One entry a frame; empty: no face there. Moments count whose three frames all have one. Empty if there are none.
std::optional<double> landmark_jitter(const std::vector<std::optional<Landmarks>>& frames);

using Colour = std::array<double, 3>; ///< BGR, levels 0..255
std::optional<double> colour_jitter(const std::vector<std::optional<Colour>>& frames);

/// Mean colour of the frame under the landmarks' hull (hull.h). Empty if that lies outside the frame.
std::optional<Colour> face_colour(const Image& frame, const Landmarks& points);

} // namespace bifrons::data
