// data/media/video.h - video files through the programs ffmpeg and ffprobe.
//
// Frames are 8-bit BGR. Both ways the scaler is told to be exact; with its defaults luma moves by up to two levels.
// Tests tests/data/video_test.cpp
#pragma once

#include "data/image.h"
#include "data/media/process.h"

#include <memory>

namespace bifrons::data {

struct Rational {
    std::int64_t num = 0, den = 1;
    double value() const { return double(num) / double(den); }
};

/// How a stream looks, as far as a writer has to keep it. The colour tags are ffmpeg's names; empty: not tagged.
struct VideoFormat {
    std::int64_t H = 0, W = 0; ///< px as displayed, that is after rotation
    Rational rate = {25, 1};   ///< frames a second; the mean where it varies
    Rational sample_aspect = {1, 1};
    std::string range = {};     ///< tv or pc
    std::string matrix = {};    ///< bt709, smpte170m, bt470bg, bt2020nc, ...
    std::string primaries = {}; ///< bt709, ...
    std::string transfer = {};  ///< bt709, smpte2084, ...
};

struct VideoInfo {
    VideoFormat format = {};
    std::int64_t frames = 0;             ///< as the file says, counted where it does not
    std::string codec = {};              ///< h264, mpeg1video, ...
    std::string pixel_format = {};       ///< yuv420p, ...
    int bits = 8;                        ///< a channel's
    bool variable_rate = false;          ///< at the mean rate some frame would move by more than one frame's duration
    double start_s = 0;                  ///< first frame after the file's start
    std::vector<std::string> audio = {}; ///< codec of each audio stream
};

/// Reads what a video file holds.
/// Throws Error(data): missing, no media, no video stream, or fewer frames than its own header promises; Error(failed):
/// ffprobe missing.
VideoInfo probe(const std::filesystem::path& path);

/// The frames of a video, in order, each once, turned upright.
class VideoReader {
  public:
    explicit VideoReader(const std::filesystem::path& path);
    const VideoInfo& info() const { return info_; }
    /// False at the end. Throws Error(data) when the file yields no frame or stops early.
    bool next(Image& frame);

  private:
    bool end();

    std::filesystem::path path_;
    VideoInfo info_;
    Process decoder_;
    std::int64_t frames_ = 0;
};

struct VideoOptions {
    Existing existing = Existing::keep;
    int crf = 16;                     ///< 0 (lossless) .. 51, x264's scale
    std::string preset = "medium";    ///< x264's
    std::filesystem::path audio = {}; ///< take the sound of this file; empty: no sound
    std::string comment = {};         ///< metadata tag "comment"
};

/// True for a name that ends like a video this program writes: mp4, mov, mkv.
bool has_video_name(const std::filesystem::path& path);

/// Writes H.264: 4:2:0, or 4:4:4 where the width or height is odd. The file appears under its name when finished and
/// checked; without finish() nothing is left.
class VideoWriter {
  public:
    /// Throws Error(usage) for another ending or an existing file, Error(data) for a bad destination.
    VideoWriter(const std::filesystem::path& path, const VideoFormat& format, const VideoOptions& options);
    ~VideoWriter();
    VideoWriter(const VideoWriter&) = delete;
    VideoWriter& operator=(const VideoWriter&) = delete;

    /// Throws Error(shape) for another size, Error(failed) with ffmpeg's reason (disk full).
    void write(const Image& frame);
    /// Adds the sound: copied where the file can hold it (.mkv; .mp4 and .mov with aac, mp3, ac3, alac), else encoded
    /// to AAC 192k. Returns "none", "copied", "aac", or "lost: <reason>" when it cannot be decoded. Throws
    /// Error(failed).
    std::string finish();

  private:
    [[noreturn]] void fail(const std::string& reason) const;
    std::string add_sound();

    std::filesystem::path path_, temporary_;
    VideoFormat format_;
    VideoOptions options_;
    std::unique_ptr<Process> encoder_;
    std::int64_t frames_ = 0;
};

} // namespace bifrons::data
