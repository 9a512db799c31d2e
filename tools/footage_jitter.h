// tools/footage_jitter.h - how much more the faces of a merged video jitter than those of its input (data/jitter.h).
#pragma once

#include "data/extract/extract.h"
#include "data/jitter.h"

namespace bifrons::tools {

struct Jitter {
    std::optional<double> landmarks, colour; ///< empty: no three frames in a row show a face
};
struct FootageJitter {
    std::int64_t frames = 0;
    Jitter input, merged;
};

/// Finds the faces in each of the two. The colour is taken under the input's landmarks in both, so that it does not
/// depend on where the merged face was found. tick: called for each frame of the input; may throw to stop. Throws
/// Error(data) if the two differ in size or number of frames, and as FaceFinder does.
FootageJitter footage_jitter(const std::string& input, const std::string& merged, const data::FinderOptions& finder,
                             const std::function<void()>& tick);

} // namespace bifrons::tools
