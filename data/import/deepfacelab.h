// data/import/deepfacelab.h - face pictures as DeepFaceLab keeps them.
//
// A JPEG whose APP15 segment is a pickled dictionary: face_type; landmarks (68 points in this picture),
// source_landmarks and source_rect (in the frame), source_filename; xseg_mask (an encoded picture) and seg_ie_polys
// (polygons drawn by hand: type 1 includes, 0 excludes). Its coordinates are ours: whole numbers are centres of pixels.
//
// faceset.pak: uint64 version = 1, uint64 n, n bytes of pickled list (a dictionary a face, with filename and
// person_name), uint64 offset of each face from the first one and of the end, the JPEG files. Little endian.
// Tests tests/data/import_test.cpp
#pragma once

#include "data/import/aligned_face.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bifrons::data {

/// The face of a JPEG's bytes. Throws Error(data), which begins with `name`: no JPEG, no square, none of DeepFaceLab's,
/// damaged, without landmarks, or of a type that cannot be trained.
AlignedFace dfl_face(const std::vector<std::uint8_t>& jpeg, const std::string& name);

/// What a faceset.pak holds.
struct DflPackFace {
    std::string file = {};           ///< its file name, that of its person before it
    std::uint64_t at = 0, bytes = 0; ///< in the file
};
/// Throws Error(data): not a faceset.pak of version 1, damaged, or cut off. Faces that lie outside of the file have no
/// bytes.
std::vector<DflPackFace> dfl_pack(const std::filesystem::path& file);

} // namespace bifrons::data
