// data/quality.h - how similar two pictures are.
//
//   PSNR = -10 log10 max( sum_p m (a - b)^2 / sum_p m, 1/12 / 255^2 )     dB; over all channels, for values 0..1
//          the least is what rounding to bytes leaves: equal pictures, too, have 58.92 dB and not infinity
//   SSIM = mean of (2 ma mb + C1)(2 cov + C2) / ((ma^2 + mb^2 + C1)(va + vb + C2))
//          over windows of 11x11 px with Gaussian weights of sigma 1.5, C1 = 0.01^2, C2 = 0.03^2; each channel by
//          itself; windows lie wholly inside the picture and count by the mask at their middle
//   sharpness = sqrt( (sum_p m (La)^2 / sum_p m + R) / (sum_p m (Lb)^2 / sum_p m + R) ),  R = 20/12 / 255^2
//          L: the Laplacian, four times a value less its four neighbours; over all channels and the pixels that have
//          them, m the least mask of the five: a seam at the mask's edge is not detail. R is the Laplacian of what
//          rounding to bytes takes away: pictures without detail count as equal. 1: as much detail as b has; less:
//          blurred; more: noise
//
// Source for SSIM: Wang, Bovik, Sheikh, Simoncelli 2004, IEEE TIP 13(4):600, eq. 13 and sec. III.B-C.
// Tests tests/data/quality_test.cpp
#pragma once

#include "data/image.h"

namespace bifrons::data {

/// a, b [H,W,C] of one size, 0..1; mask m [H,W,1] 0..1, empty: everywhere 1. Computed in double.
/// All throw Error(shape) for other sizes and for a mask that is zero wherever it would count; ssim and sharpness for
/// pictures smaller than their windows.
double psnr(const ImageF& a, const ImageF& b, const ImageF& mask = {});
double ssim(const ImageF& a, const ImageF& b, const ImageF& mask = {});
double sharpness(const ImageF& a, const ImageF& b, const ImageF& mask = {});

/// Variance of luma's Laplacian, of values 0..255, where the mask [H,W,1] is at least 128; 0 where it is nowhere.
double laplacian_variance(const Image& picture, const Image& mask);

/// Whether the mask leaves each of them something to compare.
bool comparable(const ImageF& mask);

} // namespace bifrons::data
