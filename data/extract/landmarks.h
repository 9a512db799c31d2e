// data/extract/landmarks.h - the 68 points of a face, by dlib's regression trees (Kazemi & Sullivan 2014).
//
// The first estimate (from the detector's box, or by a similarity from its five points) is refined on an upright crop
// in which the face has the place and size the trees were trained for, again until it hardly moves: mostly once, more
// often where the detector's points are far off, as they are on tilted faces. Tests tests/data/extract_test.cpp
#pragma once

#include "data/extract/detector.h"

namespace bifrons::data {

/// Points, and how they were come by.
struct Fit {
    Landmarks points = {}; ///< px of the frame, rounded to 1/1000
    double moved = 0;      ///< the way that refining took them: root mean squares of all steps, added, eye distances
};

/// The root mean square of the points' distances, px.
double rms_distance(const Landmarks& a, const Landmarks& b);

/// Loaded once (95 MiB in memory), shared by all threads.
class LandmarkModel {
  public:
    /// An empty path takes Debian's file, /usr/share/dlib/shape_predictor_68_face_landmarks.dat (package libdlib-data;
    /// trained on iBUG 300-W, which excludes commercial use).
    /// Throws Error(data) when the file is missing or damaged.
    explicit LandmarkModel(const std::filesystem::path& file = {});
    ~LandmarkModel();

    /// The points of a face that stands upright or, where the detection has points, as those do. `grey` has one
    /// channel. Deterministic; may be called from several threads.
    Fit find(const Image& grey, const Detection& face) const;
    /// The same for a face whose points are about there already.
    Landmarks refine(const Image& grey, const Landmarks& near) const;

  private:
    struct Trees;
    Landmarks in_box(const Image& grey, const Rect& box, std::int64_t repeat) const;
    Fit settle(const Image& grey, const Landmarks& near) const;
    Landmarks in_upright_crop(const Image& grey, const std::array<Point, 5>& five) const;

    std::unique_ptr<const Trees> trees_;
};

} // namespace bifrons::data
