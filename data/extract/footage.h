// data/extract/footage.h - the faces of a whole clip, before any of its frames is changed. Tests
// tests/data/extract_test.cpp
#pragma once

#include "data/extract/extract.h"

namespace bifrons::data {

struct FootageFaces {
    Clip clip = {}; ///< one entry a frame
    std::int64_t ignored = 0, low_score = 0, implausible = 0;
    bool other_file = false; ///< extracted from another file of the same name
};

/// Reads the source to its end. Detections with a low score are used where they continue a face from the frame before
/// or lead up to one in the frame after. A scene begins where the frame's brightness, in 16 x 9 cells, differs from
/// the last one's by 25 levels or more on average. tick: called with the number of frames done; may throw to stop.
FootageFaces find_faces(FrameSource& source, FaceFinder& finder, const std::function<void(std::int64_t)>& tick);

/// What an extraction of this footage found, and a person may have corrected: the faces of the source of that file
/// name, if there are several, of the one that is this very footage. Of an imported faceset: the faces of the pictures
/// that are named, without ending, as the footage's frames are. Scenes are not known. Throws Error(data) when the
/// faceset has no such source, an incomplete one, one of another number of frames, or no such picture.
FootageFaces faces_of(const Faceset& set, const std::filesystem::path& footage, std::int64_t frames);

} // namespace bifrons::data
