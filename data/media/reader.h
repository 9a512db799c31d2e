// data/media/reader.h - the frames of a video file, through the program ffmpeg.
//
// Frames are BGR, of 8 bits a channel and 16 if wanted, upright, of square pixels, and progressive; high dynamic range
// is tone-mapped to BT.709 (tone_mapping.h). The scaler is told to be exact; with its defaults luma moves by up to two
// levels. Tests tests/data/video_test.cpp
#pragma once

#include "data/media/process.h"
#include "data/media/tone_mapping.h"
#include "data/media/video.h"

#include <memory>
#include <optional>

namespace bifrons::data {

enum class Deinterlace {
    where_needed, ///< footage whose tag or frames are interlaced (ffmpeg's bwdif, one frame for each frame)
    always        ///< whatever the footage says
};

struct ReaderOptions {
    Deinterlace deinterlace = Deinterlace::where_needed;
    bool strict = false;                  ///< damage is an error
    bool deep = false;                    ///< frames that 8 bits of BT.709 do not hold are wanted as they are, too
    std::int64_t max_pixels = kMaxPixels; ///< larger frames are an error
};

/// The order of the fields in which the frames were taken: as some of them look (ffmpeg's idet) where they show it,
/// else as the file says.
Fields look_at_fields(const std::filesystem::path& path, const VideoInfo& info);

/// The frames of a video, in order, each once, with its time.
class VideoReader {
  public:
    /// Throws as probe does; Error(data) for a truncated file if strict.
    explicit VideoReader(const std::filesystem::path& path, const ReaderOptions& options = {});
    /// The same video from its start, of 8 bits a channel, without another look at the file: what was seen when it was
    /// opened is not remarked upon again.
    VideoReader again() const;

    /// `fields` is as look_at_fields says; tags and bits are those of deep frames where these are wanted.
    const VideoInfo& info() const { return info_; }
    /// False at the end. What ffmpeg can decode is used; Error(data) when that is nothing or, if strict, not all.
    bool next(Image& frame);
    /// The last frame with all its bits, in the clip's own transfer; empty where next() gave all there is, or unless
    /// wanted.
    const DeepImage& deep() const { return deep_; }
    /// When the last frame is shown, s after the file's start, which is that of its first stream. Where the time stamps
    /// of joined recordings start again, time continues.
    double time_s() const { return time_s_; }
    /// What a person should know of the footage, a sentence each, and each told once: what is seen when it is opened,
    /// and damage found since.
    std::vector<std::string> remarks();

  private:
    struct Told {
        std::int64_t bytes = 0;           ///< of ffmpeg's complaints until the last frame
        double first_s = -1, last_s = -1; ///< frames at which it complained
    };
    VideoReader(const std::filesystem::path& path, const ReaderOptions& options, const VideoInfo& found);
    void remark();
    bool read_pixels(Image& frame);
    void read_time();
    void listen();
    void end();
    void damaged(const std::string& what);

    std::filesystem::path path_;
    ReaderOptions options_;
    VideoInfo found_;                         ///< in the file
    VideoInfo info_;                          ///< of the frames
    std::optional<ToneMapping> tone_mapping_; ///< of high dynamic range
    bool sixteen_bits_;                       ///< a channel, as read
    std::unique_ptr<Process> decoder_;        ///< from the first frame on
    std::vector<std::string> remarks_;
    DeepImage deep_ = {0, 0, 3};
    std::string times_; ///< lines of the decoder's notes that were not yet read
    std::int64_t times_read_ = 0;
    double time_s_ = -1;
    Told told_;
    std::int64_t frames_ = 0;
    bool ended_ = false;
};

} // namespace bifrons::data
