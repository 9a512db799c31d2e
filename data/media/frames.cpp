// data/media/frames.cpp - where frames come from and go to.
#include "data/media/frames.h"

#include "data/media/webp_frames.h"
#include "kernels/base/error.h"
#include "kernels/base/words.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

class VideoFrames : public FrameSource {
  public:
    VideoFrames(const fs::path& path, const ReaderOptions& options) : reader_(path, options), files_{path} {}
    VideoFrames(const VideoFrames& other) : reader_(other.reader_.again()), files_(other.files_) {}
    std::int64_t count() const override { return reader_.info().frames; }
    const std::vector<fs::path>& files() const override { return files_; }
    const VideoInfo* video() const override { return &reader_.info(); }
    std::vector<std::string> remarks() override { return reader_.remarks(); }
    std::unique_ptr<FrameSource> again() const override { return std::make_unique<VideoFrames>(*this); }
    bool next(Frame& frame) override
    {
        if (!reader_.next(frame.image)) return false;
        frame.index = index_++;
        frame.time_s = reader_.time_s();
        frame.deep = reader_.deep();
        frame.name = video_frame_name(files_[0], frame.index);
        return true;
    }

  private:
    VideoReader reader_;
    std::vector<fs::path> files_;
    std::int64_t index_ = 0;
};

/// Empty where it cannot be read.
std::optional<PictureHeader> header_of(const fs::path& path)
{
    try {
        return look_at_picture(path);
    } catch (const Error&) {
        return {};
    }
}

class PictureFrames : public FrameSource {
  public:
    PictureFrames(PictureFolder pictures, const ReaderOptions& options)
        : files_(std::move(pictures.files)), options_(options)
    {
        if (!pictures.left_out.empty())
            remarks_.push_back(str("left out, beside ", count(), " pictures: ", pictures.left_out));
    }
    std::int64_t count() const override { return std::int64_t(files_.size()); }
    const std::vector<fs::path>& files() const override { return files_; }
    void check_names() const override
    {
        std::map<std::string, fs::path> known;
        for (const fs::path& file : files_) {
            const auto [earlier, is_new] = known.emplace(file.stem().string(), file);
            BIFRONS_CHECK(usage, is_new, file.string(), ": has the same name as ", earlier->second.filename().string(),
                          ", and both would become ", earlier->first,
                          ".png. Rename one, or name a video as the output.");
        }
    }
    void check_sizes() const override
    {
        std::optional<PictureHeader> first;
        const fs::path* first_file = nullptr;
        for (const fs::path& file : files_) {
            const std::optional<PictureHeader> header = header_of(file);
            if (!header) continue;
            if (!first) first = header, first_file = &file;
            BIFRONS_CHECK(usage, header->H == first->H && header->W == first->W, file.string(), ": is ", header->W, "x",
                          header->H, ", and ", first_file->filename().string(), " is ", first->W, "x", first->H,
                          "; a video needs pictures of one size. Name a folder as the output.");
        }
    }
    bool next(Frame& frame) override
    {
        while (next_ < files_.size()) {
            const fs::path& file = files_[next_++];
            try {
                LoadedPicture loaded = load_picture(file, options_.max_pixels);
                if (!loaded.remark.empty()) remarks_.push_back(str(file.filename().string(), ": ", loaded.remark));
                frame = {.name = file.stem().string(), .file = file.filename().string()};
                frame.image = std::move(loaded.image);
                frame.extras = std::move(loaded.extras);
                frame.index = index_++;
                return true;
            } catch (const Error& error) {
                if (error.kind() != ErrorKind::data) throw;
                remarks_.push_back(str("left out: ", error.what()));
            }
        }
        const std::int64_t left_out = count() - index_;
        if (left_out > 0 && !std::exchange(ended_, true))
            remarks_.push_back(str(left_out, " of ", count(), " pictures could not be read and were left out"));
        return false;
    }
    std::vector<std::string> remarks() override { return std::exchange(remarks_, {}); }
    std::unique_ptr<FrameSource> again() const override
    {
        return std::make_unique<PictureFrames>(PictureFolder{files_, ""}, options_); // pictures are not deep
    }

  private:
    std::vector<fs::path> files_;
    ReaderOptions options_;
    std::vector<std::string> remarks_;
    std::size_t next_ = 0;   ///< file
    std::int64_t index_ = 0; ///< of the next frame
    bool ended_ = false;
};

class VideoSink : public FrameSink {
  public:
    VideoSink(const fs::path& path, const SinkOptions& options) : writer_(path, options.format, options.video) {}
    void write(const Frame& frame) override
    {
        if (frame.deep.pixels.empty()) return writer_.write(frame.image, frame.time_s);
        writer_.write(frame.deep, frame.time_s);
    }
    Carried finish() override { return writer_.finish(); }
    std::string description() const override { return writer_.description(); }

  private:
    VideoWriter writer_;
};

class PictureSink : public FrameSink {
  public:
    PictureSink(const fs::path& path, const SinkOptions& options) : path_(path), options_(options.video)
    {
        if (has_picture_name(path)) {
            check_destination(path, options_.existing);
            return;
        }
        std::error_code error;
        fs::create_directory(path, error);
        BIFRONS_CHECK(data, fs::is_directory(path), path.string(), ": is not a folder and cannot be created (",
                      error.message(), "). Name a folder, a picture, or a video ending in .mp4, .mov or .mkv.");
    }
    void write(const Frame& frame) override
    {
        const bool one = has_picture_name(path_);
        BIFRONS_CHECK(usage, !one || frame.index == 0, path_.string(),
                      ": one picture cannot hold several frames; expected a folder or a video");
        save_image(one ? path_ : path_ / (frame.name + ".png"), frame.image,
                   {.existing = options_.existing, .made = options_.made, .extras = &frame.extras});
    }
    Carried finish() override { return {}; }

  private:
    fs::path path_;
    VideoOptions options_;
};

} // namespace

bool is_clip(const fs::path& path)
{
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) return false;
    if (!has_picture_name(path)) return true;
    const std::optional<PictureHeader> header = header_of(path);
    return header && header->is_animated;
}

PictureFolder pictures_in(const fs::path& folder)
{
    PictureFolder found;
    std::map<std::string, int> others;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        const fs::path path = entry.path().filename();
        std::error_code ignored; // of a link that leads nowhere
        const fs::file_status status = entry.status(ignored);
        if (path.string().front() == '.')
            ++others["hidden"];
        else if (!fs::is_regular_file(status))
            ++others[fs::is_directory(status) ? "folders" : "special files"];
        else if (has_picture_name(path))
            found.files.push_back(entry.path());
        else
            ++others[path.has_extension() ? lower_ending(path) : "without an ending"];
    }
    std::sort(found.files.begin(), found.files.end(), [](const fs::path& a, const fs::path& b) {
        return natural_less(a.filename().string(), b.filename().string());
    });
    for (const auto& [kind, number] : others)
        found.left_out += str(found.left_out.empty() ? "" : ", ", number, " ", kind);
    BIFRONS_CHECK(data, !found.files.empty(), folder.string(),
                  ": the folder holds no pictures; expected files that end in one of ", joined(picture_endings()),
                  found.left_out.empty() ? "" : "; it holds " + found.left_out);
    return found;
}

std::unique_ptr<FrameSource> open_pictures(PictureFolder pictures, const ReaderOptions& options)
{
    return std::make_unique<PictureFrames>(std::move(pictures), options);
}

std::unique_ptr<FrameSource> open_frames(const fs::path& path, const ReaderOptions& options)
{
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) return open_pictures(pictures_in(path), options);
    if (!is_clip(path)) return open_pictures({{path}, ""}, options);
    if (is_webp_file(path)) return open_animated_webp(path, options);
    return std::make_unique<VideoFrames>(path, options);
}

std::vector<Frame> next_block(FrameSource& source)
{
    constexpr std::size_t kFewest = 4, kMost = 16, kBytes = 256 << 20;
    std::vector<Frame> frames;
    std::size_t bytes = 0;
    for (Frame frame; frames.size() < kMost && (frames.size() < kFewest || bytes < kBytes) && source.next(frame);) {
        bytes += frame.image.pixels.size() + 2 * frame.deep.pixels.size();
        frames.push_back(std::move(frame));
    }
    return frames;
}

std::unique_ptr<FrameSink> create_frames(const fs::path& path, const SinkOptions& options)
{
    if (has_video_name(path)) return std::make_unique<VideoSink>(path, options);
    return std::make_unique<PictureSink>(path, options);
}

bool natural_less(const std::string& a, const std::string& b)
{
    const auto is_digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
    std::size_t i = 0, j = 0;
    while (i < a.size() && j < b.size()) {
        if (!is_digit(a[i]) || !is_digit(b[j])) {
            if (a[i] != b[j]) return a[i] < b[j];
            ++i, ++j;
            continue;
        }
        const auto number = [&](const std::string& s, std::size_t& at) {
            while (at < s.size() && s[at] == '0') ++at;
            const std::size_t start = at;
            while (at < s.size() && is_digit(s[at])) ++at;
            return s.substr(start, at - start);
        };
        const std::string x = number(a, i), y = number(b, j);
        if (x.size() != y.size()) return x.size() < y.size();
        if (x != y) return x < y;
    }
    if (i < a.size() || j < b.size()) return j < b.size();
    return a < b; // 01 and 1: some fixed order
}

} // namespace bifrons::data
