// data/merge/boundary.h - what a cloned face takes from the frame at its edge: the difference that Poisson's equation
// spreads over the face. A pixel of hair, background or a hand would spread its colour over the cheek; it is passed
// over.
//
//   b: pixels outside with a neighbour (of four) inside     h(b) = frame(b) - face(b)
//   w(b) = weight of frame(b) as the frame's skin * weight of face(b) as the face's
//          * weight of h(b) among the h of all b                                         (color_cluster.h)
//   h'(b) = w(b) h(b) + (1 - w(b)) sum_k w(k) h(k) / |b - k|^2  /  sum_k w(k) / |b - k|^2
//   value(b) = face(b) + h'(b)
//
// So h' is h on skin and interpolated elsewhere; hair may have the colour of shaded skin, but then the difference is
// not that of most of the edge (Shepard 1968, Proc. ACM National Conference, 517-524). Where no pixel of the edge shows
// skin, h' = 0: the face keeps its colours. Tests tests/data/merge_test.cpp
#pragma once

#include "data/merge/color_cluster.h"

namespace bifrons::data {

/// inside [H,W,1], 0 or 255, 0 on the outermost pixels; face, frame [H,W,3]; values [H,W,3] written at b.
void set_boundary(const Image& inside, const ImageF& face, const ImageF& frame, const ColorCluster& face_skin,
                  const ColorCluster& frame_skin, ImageF& values);

} // namespace bifrons::data
