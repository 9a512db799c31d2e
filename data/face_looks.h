// data/face_looks.h - what the pictures of faces look like: how light and of which hue, how much of them is black, and
// a small version to compare with others.
//
//   brightness   mean luma of the face's region (its mask, or the landmarks' hull), % of white
//   hue          of the region's mean colour, degrees: 0 red, 60 yellow, 120 green, -120 blue; 0 for grey
//   black        pixels of the whole picture with no channel above 2, %: what lies outside of the frame, where a
//                program does not repeat its edge
//   distance     root mean square of the differences of two pictures at 16x16 px, levels of 255. Neighbouring frames
//                are mostly 1 to 2 apart
//
// Tests tests/data/face_looks_test.cpp
#pragma once

#include "data/faceset.h"
#include "data/folders.h"

#include <array>
#include <optional>

namespace bifrons::data {

struct FaceLook {
    double brightness = 0, hue = 0, black = 0;
    std::array<std::uint8_t, 16 * 16 * 3> small = {}; ///< BGR
};

double distance(const FaceLook& a, const FaceLook& b);

struct FaceLooks {
    std::vector<std::optional<FaceLook>> of = {}; ///< each face; none of a picture that cannot be read
    std::vector<std::string> unreadable = {};     ///< why, each beginning with the picture's file
};
/// Reads every picture of the faceset. Throws Cancelled.
FaceLooks looks_of(const Faceset& set, const WorkOptions& options);

/// A face and how far it is from the one before it, distance(); 0 for the first.
struct Link {
    std::size_t face = 0;
    double distance = 0;
};
/// The faces that have a look, each followed by the most like it of those that are left: like next to like, and what is
/// like nothing else comes last. Begins with the face that is nearest to the mean of all. Time grows with the square of
/// their number: some seconds for 10,000.
std::vector<Link> by_likeness(const std::vector<std::optional<FaceLook>>& looks);

struct BestFaces {
    std::vector<std::size_t> faces = {}; ///< the sharpest first
    std::int64_t alike = 0;              ///< left out because they are nearly the same as a sharper one
};
/// At most n of these faces, spread over poses: of each 5 degrees of yaw and of pitch as many as of any other that has
/// so many, so that rare poses stay and common ones are thinned out. Of one pose first the sharpest face, then, of the
/// sharpest three times as many as are wanted, those most unlike the ones chosen. Faces nearer than 1.5 to a sharper
/// one of their pose are left out, and so are those without a look. Serves as DeepFaceLab's sort "final" does.
BestFaces best_faces(const Faceset& set, const std::vector<std::size_t>& faces,
                     const std::vector<std::optional<FaceLook>>& looks, std::size_t n);

} // namespace bifrons::data
