// data/oddness.h - faces unlike the others of their faceset: what to look at before training.
//
//   oddness = max over the reasons of (x - median) / max(1.4826 MAD, least)
//
// MAD is the median of |x - median| over the faceset; `least` keeps a steady clip's small differences from counting.
//
//   reason              x                                                         least
//   low score           - score                                                   0.1 |median|
//   blurred             - log sharpness                                           0.2
//   small or large      log size, either way                                      0.2
//   turned aside        yaw, radians, either way                                  0.17
//   looks up or down    pitch, radians, either way                                0.17
//   unlike a face       rms distance of the landmarks from the mean face that     0.02
//                       they are aligned to, template units
//
// Source: Iglewicz & Hoaglin 1993, "How to detect and handle outliers": 3.5 and more is an outlier.
// Tests tests/data/oddness_test.cpp
#pragma once

#include "data/faceset.h"

namespace bifrons::data {

struct Oddness {
    std::size_t face = 0;    ///< index in the faceset
    double value = 0;        ///< in robust standard deviations
    const char* reason = ""; ///< the first column above
};

constexpr double kOdd = 3.5; ///< from here on a face is odd

/// Every face, the oddest first; those as odd as each other in the faceset's order.
std::vector<Oddness> by_oddness(const Faceset& set);

} // namespace bifrons::data
