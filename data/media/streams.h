// data/media/streams.h - what a video carries beside its pictures: sound, subtitles, chapters, covers, timecode.
//
// Tests tests/data/streams_test.cpp
#pragma once

#include "data/media/video.h"

namespace bifrons::data {

struct Carried {
    std::string sound = "none";         ///< "copied", "aac" (one track at least was re-encoded), "lost" (all of it)
    std::vector<std::string> kept = {}; ///< "sound 1 (eng, aac)", "subtitles 1 (mov_text)", "2 chapters", ...
    std::vector<std::string> lost = {}; ///< "sound 2 (deu, codec unknown): <why>", ...
};

/// Joins to the video file `video`, whose pictures are so many and begin start_s after the start of `source`, what
/// `source` holds beside its pictures. `kind` is the format of `video`, ffmpeg's name: mp4, mov or matroska.
///
/// Sound is copied where the file can hold it (.mkv; .mp4 and .mov with aac, mp3, ac3, alac; .mov with PCM), else
/// encoded to AAC 192k. Text subtitles become the format's own. A stream that cannot be carried is lost alone. On
/// failure `video` stays as it was: Error(failed) for a full disk.
Carried carry_streams(const std::filesystem::path& source, const VideoInfo& info, const std::filesystem::path& video,
                      std::int64_t frames, double start_s, const std::string& kind);

/// True where ffmpeg's complaint says that the disk is full.
bool is_disk_full(const std::string& complaint);

} // namespace bifrons::data
