// data/media/writer.h - video files written through the program ffmpeg.
//
// Frames are BGR, or BGR and alpha, of 8 or 16 bits a channel. The scaler is told to be exact; with its defaults luma
// moves by up to two levels. Tests tests/data/video_test.cpp
#pragma once

#include "data/media/deep.h"
#include "data/media/process.h"
#include "data/media/streams.h"
#include "data/provenance.h"

#include <memory>
#include <optional>

namespace bifrons::data {

struct VideoOptions {
    Existing existing = Existing::keep;
    std::string codec = "x264";        ///< x264, x265, prores, ffv1
    std::string pixels = "auto";       ///< ffmpeg's name of a YUV format; auto: the format's chroma, 8 bits or 10
    int crf = 14;                      ///< 0 (lossless) .. 51, of x264 and x265
    std::string preset = "veryfast";   ///< of x264 and x265: at crf 14 as like the source as fast is at 16 (SSIM 0.9966
                                       ///< both, 720p), in half the time, for an eighth more bytes
    bool constant_rate = false;        ///< repeat or leave out frames so that all last equally long
    std::filesystem::path source = {}; ///< carry this file's sound and other streams; empty: none
    Provenance made = {};              ///< kept in the file: tags, and in .mp4 and .mov XMP
    bool is_tried = false;             ///< try_video() passed
};

/// True for a name that ends like a video this program writes: mp4, mov, mkv.
bool has_video_name(const std::filesystem::path& path);

/// Writes one frame to nowhere: shows what would else fail after an hour's work. Throws as VideoWriter does.
void try_video(const std::filesystem::path& path, const VideoFormat& format, const VideoOptions& options);

/// Writes a video. The file appears under its name when finished and checked; without finish() nothing is left.
/// 4:2:0 and 4:2:2 need even sizes: an odd width or height is made even by repeating the last column or row.
class VideoWriter {
  public:
    /// Throws Error(usage) for another ending or codec, one that holds no alpha where the format has it, or an existing
    /// file, Error(data) for a bad destination, and Error(failed) where ffmpeg cannot write one frame so: it lacks the
    /// encoder, or the encoder the pixel format.
    VideoWriter(const std::filesystem::path& path, const VideoFormat& format, const VideoOptions& options);

    /// time_s: when it is shown, s after the source's start; the format's rate decides where there is none.
    /// Throws Error(shape) for another size, Error(failed) with ffmpeg's reason.
    void write(const Image& frame, std::optional<double> time_s = {});
    void write(const DeepImage& frame, std::optional<double> time_s = {});
    /// Adds the source's other streams. Throws Error(failed).
    Carried finish();
    /// What the file's pictures are: "x264, yuv420p, 360x288, 25 frames/s".
    std::string description() const;

  private:
    [[noreturn]] void fail(const std::string& reason) const;
    Carried add_streams(std::int64_t frames) const;
    std::filesystem::path video() const { return unfinished_->name() + "/video"; }
    template <class T>
    void take(const Picture<T>& frame, std::optional<double> time_s);
    std::int64_t tick_of(std::optional<double> time_s);

    std::filesystem::path path_;
    std::optional<Partial> unfinished_; ///< a folder: ffmpeg follows links, and nobody else can put one there
    VideoFormat format_, written_;      ///< of the frames that come, and of those in the file
    VideoOptions options_;
    std::unique_ptr<Process> encoder_;
    std::optional<double> start_s_ = {}; ///< of the first frame
    std::int64_t frames_ = 0, last_tick_ = -1;
};

} // namespace bifrons::data
