// tools/comparison.h - what a swap did, in one picture: a frame, the same frame swapped, and its face close up.
#pragma once

#include "data/geometry.h"
#include "data/image.h"

namespace bifrons::tools {

/// Three pictures beside each other, as high as the frames: before, after, and the square around the face of `after`,
/// enlarged. before, after [H,W,3] of one size; face: landmarks in px of the frames.
data::Image comparison(const data::Image& before, const data::Image& after, const data::Landmarks& face);

/// The same of frame `index` of two videos. Throws Error(data) where one of them has no such frame.
data::Image comparison(const std::filesystem::path& before, const std::filesystem::path& after, std::int64_t index,
                       const data::Landmarks& face);

} // namespace bifrons::tools
