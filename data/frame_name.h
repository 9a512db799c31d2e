// data/frame_name.h - what a video's frame is called where it becomes a picture. Tests tests/data/frames_test.cpp
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace bifrons::data {

/// Of the frame with this number of a video: clip_000012 of clip.mp4.
std::string video_frame_name(const std::filesystem::path& video, std::int64_t index);

} // namespace bifrons::data
