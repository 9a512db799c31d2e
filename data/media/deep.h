// data/media/deep.h - 16 bits a channel, carried beside the 8 that faces are found and replaced in.
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

/// Changes `deep` as `worked` was changed since it was to_bytes(deep): by as many 255ths of the whole, clipped to
/// 0..65535. Pixels that did not change keep all their bits. Throws Error(shape) for another size.
void follow(DeepImage& deep, const Image& worked);

} // namespace bifrons::data
