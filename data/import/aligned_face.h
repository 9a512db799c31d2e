// data/import/aligned_face.h - a face's picture of another program, and what it says of the face.
#pragma once

#include "data/alignment.h"
#include "data/image.h"

#include <cstdint>
#include <string>

namespace bifrons::data {

struct AlignedFace {
    std::int64_t side = 0; ///< px of the picture
    FaceType type = FaceType::full;
    Landmarks in_face = {}, in_frame = {};
    Affine matrix = {};      ///< frame -> picture
    Rect rect = {};          ///< px of the frame
    std::string source = {}; ///< name of the frame's picture; empty if it is not known
    Image mask = {0, 0, 1};  ///< [side,side,1], 255: face; empty where there is none
};

} // namespace bifrons::data
