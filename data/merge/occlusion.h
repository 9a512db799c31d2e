// data/merge/occlusion.h - what is in front of a face: glasses, hair, a microphone. It has not the skin's colour, and
// the network, which never saw it on the other face, draws something else there.
//
//   d = |frame - face| after a Gaussian of side/64 px, so that an edge may lie a little beside another
//   o = (1 - skin(frame)) d / max(median of d in the mask, 0.03)          in the mask
//
// Two thresholds, as edges are followed (Canny 1986, PAMI 8(6):679): it begins where o >= 4, and continues where o
// >= 1.5 beside it, as where the network draws a dark eye. What was found is grown by a Gaussian of side/64 px,
// tripled.
//
// Tests tests/data/merge_test.cpp
#pragma once

#include "data/merge/color_cluster.h"

namespace bifrons::data {

/// 0..1, [S,S,1]. face: under the frame's colours; frame: as the face's picture shows it; both [S,S,3].
ImageF occluded(const ImageF& face, const ImageF& frame, const ImageF& mask, const ColorCluster& frame_skin);

} // namespace bifrons::data
