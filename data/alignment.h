// data/alignment.h - how much of a head a face picture shows, and where it is in a frame. DeepFaceLab's geometry up
// to half a pixel of the face picture: facesets and models of either program fit the other's.
//
// Template: the mean face in a unit square, x from brow end to brow end. Landmarks 17-48 and 54 are mapped to it by a
// similarity; a face picture is a square of that plane:
//
//   type        side, template units (1 + 2 sqrt(2) padding)    centre
//   half        1.000  (padding 0)                              (0.5, 0.5)
//   midfull     1.191  (0.0675)                                 (0.5, 0.5)
//   full        1.597  (0.2109375)                              (0.5, 0.5)
//   whole_face  2.131  (0.40)                                   (0.5, 0.43)
//   head        2.980  (0.70)                                   (0.5 + yaw |tanh(2 yaw)| / 2, 0)
//
// The square's edges are the picture's edges (-0.5 and side - 0.5), so that the same face at another side is the same
// picture resampled. DeepFaceLab has 0 and side there: its pictures are these, half a pixel further right and down.
// Tests tests/data/alignment_test.cpp
#pragma once

#include "data/geometry.h"

#include <cstdint>
#include <string>

namespace bifrons::data {

enum class FaceType { half, midfull, full, whole_face, head };

/// "half", "midfull", "full", "whole_face", "head".
const char* name_of(FaceType type);
/// True for one of these names.
bool is_face_type(const std::string& name);
/// The type of that name. Throws Error(usage) for another.
FaceType face_type_of(const std::string& name);

/// Landmarks 17-48 and 54 of the mean face (brows, nose, eyes, corners of the mouth), template units.
extern const std::array<Point, 33> kMeanFace;

/// Frame -> face picture of side x side px.
Affine face_from_frame(const Landmarks& in_frame, FaceType type, std::int64_t side);

/// Head's turn, radians: from six landmarks under weak perspective and a generic head. Good to some 10 degrees.
struct Pose {
    double pitch = 0; ///< > 0: looks up
    double yaw = 0;   ///< > 0: looks to the picture's right
    double roll = 0;  ///< > 0: head leans clockwise
};
Pose pose_of(const Landmarks& points);

} // namespace bifrons::data
