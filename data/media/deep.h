// data/media/deep.h - 16 bits a channel, carried beside the 8 that faces are found in.
//
// Tests tests/data/video_picture_test.cpp
#pragma once

#include "data/image.h"

namespace bifrons::data {

using DeepImage = Picture<std::uint16_t>; ///< 0..65535

/// 0..65535 -> 0..255, rounded to nearest.
Image to_bytes(const DeepImage& deep);
/// 0..255 -> 0..65535.
DeepImage to_deep(const Image& image);

} // namespace bifrons::data
