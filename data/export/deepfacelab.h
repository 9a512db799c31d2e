// data/export/deepfacelab.h - a face picture as DeepFaceLab and its XSeg editor open it: see import/deepfacelab.h.
// Tests tests/data/export_test.cpp
#pragma once

#include "data/import/deepfacelab.h"

namespace bifrons::data {

struct DflJpeg {
    std::string bytes;
    bool shrunk_mask = false; ///< as it is too long for a JPEG's segment
};

/// The bytes of a JPEG that can be decoded, with what DeepFaceLab knows of the face in place of what they said of it;
/// the polygons that a person drew in the XSeg editor stay. Throws Error(data), which begins with `name`, for polygons
/// that are damaged or too many.
DflJpeg dfl_jpeg(const std::vector<std::uint8_t>& jpeg, const AlignedFace& face, const std::string& name);

} // namespace bifrons::data
