// data/media/webp_frames.h - an animated WebP as a clip, which ffmpeg cannot read. Tests tests/data/webp_test.cpp
#pragma once

#include "data/media/frames.h"

namespace bifrons::data {

/// By what stands in it, whatever the name.
bool is_webp_file(const std::filesystem::path& path);

/// The frames of an animated WebP, with their times: a duration below 11 ms counts as 100 ms, as browsers show it.
/// Throws Error(data) for a damaged file, if strict also for one that was cut off, for one whose picture has too many
/// pixels, and where libwebp was not there when this program was built.
std::unique_ptr<FrameSource> open_animated_webp(const std::filesystem::path& path, const ReaderOptions& options);

} // namespace bifrons::data
