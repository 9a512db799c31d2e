// data/media/video.h - what a video file holds, as the program ffprobe tells.
//
// Tests tests/data/video_test.cpp
#pragma once

#include "data/media/colors.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace bifrons::data {

struct Rational {
    std::int64_t num = 0, den = 1;
    double value() const { return double(num) / double(den); }
};

/// How the frames of a video look and follow each other, as far as a writer has to keep it.
struct VideoFormat {
    std::int64_t H = 0, W = 0;  ///< px as displayed: upright, and of square pixels
    Rational rate = {25, 1};    ///< frames a second; the nominal one where it varies
    bool variable_rate = false; ///< some frame is not within a quarter of a frame of its place at that rate
    ColorTags tags = {};
    std::string chroma = "420"; ///< see chroma_of
    int bits = 8;               ///< a channel's, as stored
    bool alpha = false;         ///< frames that are written have a fourth channel: alpha, by which the others are not
                                ///< multiplied
};

enum class StreamKind { sound, subtitles, cover, attachment, timecode, data, video };
/// "sound", "subtitles", "cover picture", ...: as messages say it.
const char* name_of(StreamKind kind);

/// A stream beside the video that is read.
struct Stream {
    int index = 0; ///< in the file
    StreamKind kind = StreamKind::data;
    std::string codec = {};    ///< empty: ffmpeg does not know it, or not its rate
    std::string language = {}; ///< eng, deu, ...; empty: not said
};

enum class Fields { none, top_first, bottom_first }; ///< none: progressive

struct VideoInfo {
    VideoFormat format = {};
    int video_stream = 0;            ///< its index in the file
    std::int64_t frames = 0;         ///< as the file says, counted where it does not
    std::string codec = {};          ///< h264, mpeg1video, ...
    std::string pixel_format = {};   ///< yuv420p, ...
    Rational sample_aspect = {1, 1}; ///< width : height of a pixel as stored, upright
    Fields fields = Fields::none;    ///< as the file says; VideoReader also looks at the frames
    std::vector<Stream> others = {}; ///< in the file's order
    std::int64_t chapters = 0;
    std::string timecode = {};             ///< of the first frame, 10:00:00:00
    std::string damage = {};               ///< frames that its header announces and that are not there; empty: none
    std::vector<std::string> remarks = {}; ///< what a person should know: a sentence each, without the file's name

    std::vector<std::string> codecs(StreamKind kind) const; ///< of these streams, in order
    /// The file holds more than pictures.
    bool holds_more() const { return !others.empty() || chapters > 0 || !timecode.empty(); }
};

/// Reads what a video file holds.
/// Throws Error(data): missing, no media, no video stream, or a picture of tiles; Error(failed): ffprobe missing.
VideoInfo probe(const std::filesystem::path& path);

/// The same from ffprobe's answers: -show_format -show_streams -show_chapters as JSON, and of a stream a line
/// "pts_time,dts_time,flags" a packet. `name` is for messages. Any text is taken: what makes no sense was not said.
VideoInfo read_probe(const std::string& said, const std::function<std::string(int stream)>& packets_of,
                     const std::string& name);

} // namespace bifrons::data
