// data/merge/noise.h - grain: a network's face has none, the frame around it has.
//
//   sigma = median |N * Y| / (6 * 0.6745)     N = [1 -2 1; -2 4 -2; 1 -2 1], Y: luma
//
// N is blind to even brightness and to straight edges, and sums the squares of 36 independent values: Immerkaer 1996,
// CVIU 64(2):300; with the median in place of the mean, so that lashes and wrinkles do not count as grain. Tests
// tests/data/merge_test.cpp
#pragma once

#include "data/image.h"

namespace bifrons::data {

/// Deviation of the noise in luma, 0..1, where the mask [H,W,1] is above 1/2; 0 where it is nowhere. picture [H,W,3].
double noise_level(const ImageF& picture, const ImageF& mask);

/// Adds normal noise of this deviation, the same to all channels of a pixel. A frame's number gives the same noise
/// again.
void add_noise(ImageF& picture, double sigma, std::int64_t frame);

} // namespace bifrons::data
