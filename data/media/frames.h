// data/media/frames.h - where frames come from and go to: a video, a folder of pictures, or one picture.
//
// Tests tests/data/frames_test.cpp
#pragma once

#include "data/frame_name.h"
#include "data/media/reader.h"
#include "data/media/writer.h"

namespace bifrons::data {

struct Frame {
    std::int64_t index = 0; ///< from 0
    std::string name = {};  ///< of the picture file without its ending; a video's name and the index otherwise
    Image image = {};
    DeepImage deep = {0, 0, 3};        ///< see VideoReader::deep; where it is not empty, a video is written of it
    std::optional<double> time_s = {}; ///< when a video shows it, see VideoReader::time_s; pictures have none
    std::string file = {};             ///< name of the picture file; a video's frames have none
    PictureExtras extras = {};         ///< of a picture file, for a picture of the same size that is made from it
};

class FrameSource {
  public:
    virtual ~FrameSource() = default;
    /// Frames there are, as far as known before the end.
    virtual std::int64_t count() const = 0;
    /// The next frame, false at the end. A picture that cannot be read is left out, see remarks(). Throws Error(data)
    /// for a damaged video.
    virtual bool next(Frame& frame) = 0;
    /// Throws Error(usage), with both files, if two frames have one name, as a.jpg and a.png have: a folder of results
    /// could not hold both.
    virtual void check_names() const {}
    /// Throws Error(usage), with both files, if two pictures differ in size: a video could not hold both. Looks at all
    /// of them; those that cannot be read are left out later.
    virtual void check_sizes() const {}
    /// Where the frames are: the video, or each picture.
    virtual const std::vector<std::filesystem::path>& files() const = 0;
    /// What the video holds; null for pictures.
    virtual const VideoInfo* video() const { return nullptr; }
    /// What a person should know of the footage, a sentence each, since the last call. See VideoReader::remarks.
    virtual std::vector<std::string> remarks() { return {}; }
    /// The same frames from the first one on, of 8 bits a channel, without another look at the footage: what was seen
    /// when it was opened is not remarked upon again.
    virtual std::unique_ptr<FrameSource> again() const = 0;
};

/// False for a picture by its name, unless it is animated, and for a folder: what is no picture is read as a video.
bool is_clip(const std::filesystem::path& path);
/// Opens a video, a folder (its pictures in natural order: 2 before 10) or one picture.
/// Throws Error(data): missing, no media, or a folder without pictures.
/// `options` are for a video, max_pixels for pictures, too.
std::unique_ptr<FrameSource> open_frames(const std::filesystem::path& path, const ReaderOptions& options = {});

/// The next frames to be worked on together: 16, or what 256 MB hold of larger ones, but 4 at least; fewer at the end,
/// none behind it.
std::vector<Frame> next_block(FrameSource& source);
struct PictureFolder {
    std::vector<std::filesystem::path> files = {}; ///< the pictures in natural order; hidden ones are none
    std::string left_out = {};                     ///< "2 .gif, 1 hidden": all else that is there; empty: nothing
};
/// Throws Error(data) if it holds no pictures.
PictureFolder pictures_in(const std::filesystem::path& folder);
/// Those pictures, in their order; what was left out is a remark.
std::unique_ptr<FrameSource> open_pictures(PictureFolder pictures, const ReaderOptions& options);

struct SinkOptions {
    VideoFormat format = {}; ///< for a video
    VideoOptions video = {}; ///< `existing` and `made` are for pictures, too
};

class FrameSink {
  public:
    virtual ~FrameSink() = default;
    virtual void write(const Frame& frame) = 0;
    /// Must be called at the end. Returns what became of the source's other streams, see VideoWriter::finish.
    virtual Carried finish() = 0;
    /// See VideoWriter::description; empty for pictures.
    virtual std::string description() const { return ""; }
};

/// A video for .mp4, .mov and .mkv, one picture for .png and .jpg, else a folder that gets <name>.png for each frame;
/// the folder is created if its parent is there. Throws as VideoWriter and save_image do.
std::unique_ptr<FrameSink> create_frames(const std::filesystem::path& path, const SinkOptions& options);

/// a before b as people count: digits compare as numbers.
bool natural_less(const std::string& a, const std::string& b);

} // namespace bifrons::data
