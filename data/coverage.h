// data/coverage.h - what the faces of a faceset show: where they look, what mouth and eyes do, how they are lit, how
// large they are in their footage; and what one faceset has that another lacks.
//
//   yaw, pitch         degrees, see Pose in alignment.h
//   mouth              100 (|61 67| + |62 66| + |63 65|) / (3 |60 64|): opening of the inner lips, % of their width
//   eyes               100 (|37 41| + |38 40|) / (2 |36 39|), mean of both: opening of the lids, % of their width
//   light              mean luma under the landmarks' hull, % of white
//   light from right   100 (R - L) / (R + L), R and L the mean luma of the hull to the right and left of landmark 29
//   light from above   the same of what lies above and below it
//
// Source of the openings: Soukupova & Cech 2016, "Real-time eye blink detection using facial landmarks", eq. 1.
// Light is taken from at most 200 pictures, evenly spaced; all else from every face's record. Deterministic.
// Tests tests/data/coverage_test.cpp
#pragma once

#include "data/faceset.h"

namespace bifrons::data {

/// Something that faces differ in, and the bins it is counted in: `bins` of width `bin` from `low` on. The outermost
/// take what lies beyond.
struct Trait {
    const char* name;
    double low, bin;
    std::size_t bins;
};
constexpr std::size_t kYaw = 0, kPitch = 1, kMouth = 2, kEyes = 3, kLight = 4, kLightFromRight = 5, kLightFromAbove = 6;
extern const std::array<Trait, 7> kTraits;

/// Of each trait its value for every face (of light: for those that were looked at), in the faces' order.
struct Coverage {
    std::array<std::vector<double>, 7> values = {};
    std::vector<std::string> unreadable = {}; ///< pictures left out, each with the reason
};
Coverage coverage_of(const Faceset& set);

/// With every face's mirror image beside it: what random_src_flip shows.
Coverage with_mirrored(Coverage coverage);

/// How many of the values lie in each bin.
std::vector<std::int64_t> histogram(const Trait& trait, const std::vector<double>& values);

/// What of `dst` lies farther than `reach` from every value of `src`.
struct Uncovered {
    double share = 0;         ///< of dst, 0..1
    double low = 0, high = 0; ///< the least and the largest of them
};
/// src must not be empty.
Uncovered uncovered(std::vector<double> src, const std::vector<double>& dst, double reach);

/// Side that a face picture of this type has in the footage, px: the median over the faces, of which there is one at
/// least.
double side_in_footage(const Faceset& set, FaceType type);

/// The resolution that shows such a face well: 0.6 times the side, to the nearest multiple of 32 px, 64 to 640. The
/// best that a network can reach on a face of 430 px is LPIPS 0.14 with 64 px, 0.05 with 128 and 0.009 with 256.
std::int64_t fitting_resolution(double side_px);

} // namespace bifrons::data
