// data/extract/face_search.h - the faces of one frame and their points: detected, fitted, checked, and searched again
// on the turned frame.
//
// A detector takes things for faces now and then, and most of them take a face that is turned by 90 degrees or more for
// an upright one, or miss it. Its detections count if their points are plausible (data/extract/plausible.h). Where none
// is, or the best is in doubt, and turning is allowed, the frame is searched turned by 180, 90 and 270 degrees, too.
// Tests tests/data/face_search_test.cpp
#pragma once

#include "data/extract/landmarks.h"
#include "data/extract/steady.h"
#include "data/faceset.h"

namespace bifrons::data {

/// What is known of a frame before it is searched.
struct SearchHints {
    std::optional<Rect> last = {}; ///< where the followed face was: a weak detection there is one
    bool near = false;             ///< look there first, and everywhere only if it is not there
    int quarters = 0;              ///< by so many quarters the last face leant clockwise: the first try
};

struct SearchResult {
    std::vector<FrameFace> faces = {};     ///< in falling order of score
    std::vector<DroppedFace> refused = {}; ///< detections that are no faces, with the reason and without their frame
    double upright = 0;                    ///< sum of the scores of faces that surely stand upright
    bool found = false;                    ///< a face that is not weak, however it leans
    bool settled = false; ///< surely upright, one with a clear score, and no other detection was refused
};

/// Not for several threads at once: each takes its own.
class FaceSearch {
  public:
    /// strong: the score with which a face begins; rotate: search turned frames, too.
    FaceSearch(std::unique_ptr<Detector> detector, std::shared_ptr<const LandmarkModel> landmarks, double strong,
               bool rotate)
        : detector_(std::move(detector)), landmarks_(std::move(landmarks)), strong_(strong), rotate_(rotate)
    {
    }

    /// Everything in px of the frame. Deterministic.
    SearchResult operator()(const Image& frame, const SearchHints& hints);

  private:
    SearchResult search_turned(const Image& frame, const SearchHints& hints, int quarters);
    SearchResult search_upright(const Image& frame, const SearchHints& hints);
    SearchResult fitted(const Image& frame, const std::vector<Detection>& detections,
                        const std::optional<Rect>& last) const;
    std::vector<Detection> detect_near(const Image& frame, const Rect& last);

    std::unique_ptr<Detector> detector_;
    std::shared_ptr<const LandmarkModel> landmarks_;
    double strong_;
    bool rotate_;
};

/// By how many quarters, 0..3, a face leans clockwise.
int quarters_of(const Landmarks& points);

} // namespace bifrons::data
