// tools/imported_masks.h - masks that a person or another program made: `bifrons merge --mask-folder`.
//
// Pictures named like the frames (clip_000012.png of clip.mp4, or as the input's pictures are), as large as they: white
// where the face may be replaced, black where something is in front of it. Tests tests/tools/merge_test.cpp
#pragma once

#include "data/media/frames.h"

#include <map>

namespace bifrons::tools {

class ImportedMasks {
  public:
    /// Looks at the sizes of all. Throws Error(usage) for one of another size than its frame, or if none has a frame's
    /// name; Error(data) as data::pictures_in and data::look_at_picture do.
    ImportedMasks(const std::string& folder, const data::FrameSource& frames);

    /// [H,W,3]; empty for a frame without one.
    std::optional<data::Image> of(const data::Frame& frame) const;
    /// Frames without one.
    std::int64_t missing() const { return missing_; }

  private:
    std::map<std::string, std::filesystem::path> files_; ///< by name without ending
    std::int64_t missing_ = 0;
};

} // namespace bifrons::tools
