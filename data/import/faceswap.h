// data/import/faceswap.h - face pictures as faceswap keeps them.
//
// A PNG with an iTXt chunk "faceswap": a dictionary as Python prints it. alignments: x, y, w, h (the detector's box),
// landmarks_xy (68 points, or 98, in the frame) and mask: by name the region's picture (mask: zlib, stored_size^2
// bytes) with affine_matrix, frame -> that picture. source: source_filename, source_is_video. Where the picture lies in
// the frame is not written; see data/import/faceswap_alignment.h. Of several masks the first of these is taken:
// custom_*, bisenet-fp_*, vgg-obstructed, vgg-clear, unet-dfl, any other one, extended, components (both from the
// landmarks). Frames of a video are named CLIP_000001 and on by faceswap, and from CLIP_000000 on here. Tests
// tests/data/faceswap_test.cpp, tests/fuzz/faceswap.cpp
#pragma once

#include "data/import/aligned_face.h"
#include "data/import/pickle.h"

#include <span>

namespace bifrons::data {

/// What faceswap wrote into a PNG, whose beginning is enough; empty where it wrote nothing.
std::string_view faceswap_data(std::span<const std::uint8_t> png);

/// The face of a PNG's bytes. Throws Error(data), which begins with `name`: no square, not faceswap's, damaged, without
/// landmarks.
AlignedFace faceswap_face(const std::vector<std::uint8_t>& png, const std::string& name);

/// The points of that key: 68, or 98 that stand for them. Throws Error(data), which begins with `name`.
Landmarks faceswap_landmarks(const PickledValue& face, const char* key, const std::string& name);

} // namespace bifrons::data
