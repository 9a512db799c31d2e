// data/media/input.h - how ffmpeg and ffprobe are told to open a file: as one video, and nothing beside it.
//
// Text can be a playlist whatever its name is (HLS, ffconcat, DASH, SDP), and ffmpeg would open the files that it
// names. Tests tests/data/video_test.cpp
#pragma once

#include "data/media/process.h"

#include <filesystem>

namespace bifrons::data {

/// The options that open this file and no other: only the protocol `file`, and only formats whose files hold their own
/// streams (MP4, Matroska, AVI, MPEG, ...).
Words input_options(const std::filesystem::path& path);

/// True for the complaint of an ffmpeg that was to open another format.
bool is_refused_format(const std::string& complaint);

} // namespace bifrons::data
