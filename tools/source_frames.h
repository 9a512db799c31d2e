// tools/source_frames.h - the frames that a faceset's faces were cut out of.
#pragma once

#include "tools/evaluation.h"

namespace bifrons::tools {

/// Empty if the sources of these faces are still where extraction found them; else which one is not.
std::string missing_source(const data::Faceset& set, const std::vector<std::size_t>& indices);

/// A FrameReader: reads each source once, up to the last frame that is asked for. Throws Error(data) for a source that
/// cannot be read or has fewer frames than the faceset says.
void read_source_frames(const data::Faceset& set, const std::vector<std::size_t>& indices, const FrameVisit& visit);

} // namespace bifrons::tools
