// data/extract/track.h - which of a frame's faces are used.
//
// Two thresholds, as edges are followed (Canny 1986, PAMI 8(6):679): a face begins with a strong score and continues
// with a weak one where it overlaps its last place. Tests tests/data/extract_test.cpp
#pragma once

#include "data/extract/detector.h"

namespace bifrons::data {

enum class Faces {
    largest, ///< the largest of each frame
    all,     ///< every one
    track ///< one person: the largest at first, then the one that overlaps the last most; the largest again when none
};

/// "largest", "all", "track".
const char* name_of(Faces faces);
Faces faces_of(const std::string& name);

constexpr double kSameFace = 0.2; ///< overlap of a face's boxes from one frame to the next

/// Frames in order. The state are the boxes of the last faces that were kept.
class Tracker {
  public:
    /// strong: the score with which a face begins.
    Tracker(Faces faces, double strong) : faces_(faces), strong_(strong) {}
    /// Goes on from a face that was kept so many frames ago.
    void resume(const Rect& last, std::int64_t frames_ago);

    /// Where the followed person was last; empty if that is long ago, or nobody is followed.
    std::optional<Rect> last() const;

    /// The wanted ones of a frame's detections, in their order.
    std::vector<Detection> select(const std::vector<Detection>& detections);

  private:
    bool is_followed(const Detection& detection) const;

    Faces faces_;
    double strong_;
    std::vector<Rect> last_ = {};
    std::int64_t frames_ago_ = 0; ///< when the last ones were kept
};

} // namespace bifrons::data
