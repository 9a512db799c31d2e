// tools/source_frames.h - the frames that a faceset's faces were cut out of.
#pragma once

#include "tools/evaluation.h"

namespace bifrons::tools {

/// A faceset knows its footage by name. It is looked for in these folders; in none: beside the faceset, and where the
/// program was started.
class SourceFrames {
  public:
    explicit SourceFrames(std::vector<std::filesystem::path> folders = {}) : folders_(std::move(folders)) {}

    /// Empty if the footage of these faces is there; else what is not.
    std::string missing(const data::Faceset& set, const std::vector<std::size_t>& indices) const;

    /// A FrameReader: reads each source once, up to the last frame that is asked for. Throws Error(data) for a source
    /// that cannot be read or has fewer frames than the faceset says.
    void operator()(const data::Faceset& set, const std::vector<std::size_t>& indices, const FrameVisit& visit) const;

  private:
    std::filesystem::path path_of(const data::Faceset& set, const data::SourceRecord& source) const;

    std::vector<std::filesystem::path> folders_;
};

} // namespace bifrons::tools
