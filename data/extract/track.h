// data/extract/track.h - which of a frame's faces are used.
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

/// Frames in order. The state is one box: the last face that was kept.
class Tracker {
  public:
    explicit Tracker(Faces faces, std::optional<Rect> last = {}) : faces_(faces), last_(last) {}
    /// The wanted ones of a frame's detections, in their order.
    std::vector<Detection> select(const std::vector<Detection>& detections);

  private:
    Faces faces_;
    std::optional<Rect> last_;
};

} // namespace bifrons::data
