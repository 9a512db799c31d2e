// data/extract/plausible.h - whether 68 points are those of a face.
//
//   in place     the box around them and the detection's overlap by 0.4 or more (intersection over union)
//   found again  refining leads back to them, within 0.05 eye distances or a pixel (root mean square), from a start
//                turned by 20 degrees and a tenth larger, or from one turned the other way and a tenth smaller;
//                of a model that says whether it sees a face: only where it is in doubt
//
// In the clips and stills of the tests, turned by all angles, these keep the good fits of upright faces and refuse most
// others. Tests tests/data/face_search_test.cpp
#pragma once

#include "data/extract/landmarks.h"

namespace bifrons::data {

/// Nothing is to be seen in the box: the pixels' standard deviation is below 2 levels.
bool is_flat(const Image& grey, const Rect& box);

/// What speaks against it, for lists and messages: "landmarks ..."; empty where nothing does. `grey` is the picture
/// that they were fitted in.
std::string implausibility(const Landmarks& points, const Detection& detection, const Image& grey,
                           const LandmarkModel& model);

} // namespace bifrons::data
