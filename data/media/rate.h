// data/media/rate.h - the rate of frames, from their times. Tests tests/data/probe_test.cpp, tests/data/webp_test.cpp
#pragma once

#include "data/media/video.h"

namespace bifrons::data {

inline constexpr double kSlowestRate = 1e-3, kFastestRate = 1e5; ///< frames/s; others are none

/// Sets the rate that the frames keep to: the file's word (0/1 where it says none) or a usual one; else the rate of the
/// usual frame, by the file's word if that is near. `runs`: times in s, sorted, a run for each recording that was
/// joined; empty where they are not known.
void set_rate(VideoFormat& format, Rational nominal, Rational mean, const std::vector<std::vector<double>>& runs);

} // namespace bifrons::data
