// data/merge/sharpen.h - gives a pasted face the detail of the frame around it.
//
//   y = x + a (Y - g Y)      Y: luma of x, added to each channel, so that edges get no colours (unsharp mask)
//                            g: a Gaussian of sigma px
//   a: the least in 0..kMostSharpening with which rms(L y) reaches share * rms(L frame); L: the Laplacian, four times a
//      value less its four neighbours; rms: root of the mean square over channels and pixels, weighted by the mask
//
// Tests tests/data/merge_test.cpp
#pragma once

#include "data/image.h"

namespace bifrons::data {

constexpr double kMostSharpening = 4; ///< beyond it edges get halos

/// face x read and written, frame [H,W,3]; mask [H,W,1], 0 on the outermost pixels; sigma at least 0.1. Returns a.
/// A face that is sharp enough, and one without any detail, stays as it is.
double sharpen(ImageF& face, const ImageF& frame, const ImageF& mask, double share, double sigma);

} // namespace bifrons::data
