// data/merge/color_cluster.h - the colours that most of some pixels share, as a face's skin, and how well another
// colour fits them.
//
//   d^2 = (c - mean)^T S^-1 (c - mean)      c: BGR 0..1; S: covariance + (4/255)^2 I
//   weight = 1 for d <= 3, 0 for d >= 5, even in between
//
// Mean and covariance are those of the pixels under a mask with d <= 3, measured three times; at first the mean is the
// median and S diagonal, of the median deviations (Rousseeuw & Leroy 1987, "Robust regression", ch. 1): eyes, hair,
// glasses or a hand in front of the face do not count as long as skin is more than half. Tests
// tests/data/merge_test.cpp
#pragma once

#include "data/image.h"

#include <array>

namespace bifrons::data {

class ColorCluster {
  public:
    /// picture [H,W,3]; mask [H,W,1]: pixels above 1/2 count. With fewer than 64 of them every colour has weight 1.
    ColorCluster(const ImageF& picture, const ImageF& mask);

    /// 0..1, of a colour BGR 0..1.
    float weight(const float* bgr) const;

  private:
    void start(const std::vector<const float*>& pixels);
    double squared_distance(const float* bgr) const;

    std::array<double, 3> mean_ = {};
    std::array<double, 9> inverse_ = {}; ///< of the covariance; 0: every colour is at distance 0
};

} // namespace bifrons::data
