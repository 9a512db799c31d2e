// data/merge/compress.h - the marks of lossy compression for the face, as the frame around it has them.
//
// Baseline JPEG without subsampling (ITU-T T.81, annexes A and K): YCbCr in blocks of 8 x 8 that begin at the frame's
// corner, their cosine transform rounded to multiples of the quantisation tables' steps. Tests
// tests/data/merge_test.cpp
#pragma once

#include "data/image.h"

namespace bifrons::data {

/// strength: 0..1, the tables' scale: 1 is quality 5 of libjpeg. picture: BGR 0..1, its first pixel lies in the frame
/// at (top, left).
void compress(ImageF& picture, double strength, std::int64_t top, std::int64_t left);

} // namespace bifrons::data
