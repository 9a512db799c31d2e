// tests/data/clips.h - clips that ffmpeg's sources make, passed through reader and writer, and measured.
#pragma once

#include "data/media/reader.h"
#include "data/media/writer.h"
#include "kernels/base/error.h"
#include "tests/data/folder.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace bifrons::data {

/// What makes_clip and others tell ffmpeg.
inline void ffmpeg(const std::vector<std::string>& words)
{
    std::vector<std::string> command = {"ffmpeg", "-nostdin", "-v", "error", "-y"};
    command.insert(command.end(), words.begin(), words.end());
    const Output output = run(command);
    ASSERT_EQ(output.status, 0) << output.complaint;
}

/// ffmpeg's moving test picture, and a tone unless told otherwise.
inline void make_clip(const std::filesystem::path& path, const std::string& size, int frames,
                      const std::vector<std::string>& options, bool sound = true)
{
    const std::string duration = str(":duration=", frames / 25.0);
    std::vector<std::string> command = {"-f", "lavfi", "-i", "testsrc=rate=25:size=" + size + duration};
    if (sound) command.insert(command.end(), {"-f", "lavfi", "-i", "sine=frequency=440" + duration});
    command.insert(command.end(), options.begin(), options.end());
    command.push_back("file:" + path.string());
    ffmpeg(command);
}

inline std::vector<Image> frames_of(const std::filesystem::path& path)
{
    VideoReader reader(path);
    std::vector<Image> frames;
    for (Image frame; reader.next(frame);) frames.push_back(frame);
    return frames;
}

/// Reads and writes again, with the source's other streams unless the options name another file for them.
inline Carried copy_clip(const std::filesystem::path& in, const std::filesystem::path& out, VideoOptions options = {})
{
    options.preset = "ultrafast";
    if (options.source.empty()) options.source = in;
    VideoReader reader(in);
    VideoWriter writer(out, reader.info().format, options);
    for (Image frame; reader.next(frame);) writer.write(frame, reader.time_s());
    return writer.finish();
}

/// Means of blue, green, red and luma.
inline std::array<double, 4> means(const Image& image)
{
    std::array<double, 4> mean = {};
    const double n = double(image.H * image.W);
    for (std::size_t i = 0; i < image.pixels.size(); ++i) mean[i % 3] += image.pixels[i] / n;
    mean[3] = 0.114 * mean[0] + 0.587 * mean[1] + 0.299 * mean[2];
    return mean;
}

/// What ffprobe says, as "key=value" lines.
inline std::string ffprobe(const std::filesystem::path& path, const std::string& entries)
{
    return run({"ffprobe", "-v", "error", "-show_entries", entries, "-of", "default", path.string()}).text;
}

} // namespace bifrons::data
