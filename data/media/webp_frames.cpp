// data/media/webp_frames.cpp - an animated WebP as a clip.
#include "data/media/webp_frames.h"

#include "data/media/rate.h"
#include "data/picture/color_profile.h"
#include "data/picture/webp.h"
#include "kernels/base/error.h"

#include <algorithm>
#include <utility>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

std::int64_t shown_ms(const WebpFrame& frame)
{
    constexpr std::int64_t kShortest = 11, kUsual = 100;
    return frame.ms < kShortest ? kUsual : frame.ms;
}

/// s, of each frame.
std::vector<double> times_of(const std::vector<WebpFrame>& frames)
{
    std::vector<double> times;
    std::int64_t ms = 0;
    for (const WebpFrame& frame : frames) {
        times.push_back(double(ms) / 1000);
        ms += shown_ms(frame);
    }
    return times;
}

/// Of the middle one of the durations.
Rational usual_rate(const std::vector<WebpFrame>& frames)
{
    std::vector<std::int64_t> durations;
    for (const WebpFrame& frame : frames) durations.push_back(shown_ms(frame));
    const auto middle = durations.begin() + std::ptrdiff_t(durations.size() / 2);
    std::nth_element(durations.begin(), middle, durations.end());
    return {1000, *middle};
}

class WebpFrames : public FrameSource {
  public:
    WebpFrames(const fs::path& path, const ReaderOptions& options)
        : files_{path}, options_(options), bytes_(read_picture_file(path, options.max_pixels)), file_(read_webp(bytes_))
    {
        const std::int64_t H = file_.H, W = file_.W;
        BIFRONS_CHECK(data, W <= options.max_pixels / std::max<std::int64_t>(1, H), name(), ": has frames of ", W, "x",
                      H, " pixels; expected at most ", options.max_pixels, " in all. --max-pixels allows more.");
        BIFRONS_CHECK(data, file_.is_animated, name(), ": is a WebP of one picture. Give it the ending .webp.");
        BIFRONS_CHECK(data, count() > 0, name(), ": holds no whole frame; the file is truncated or damaged");
        if (file_.is_cut) damaged(str("is truncated: its ", count(), " whole frames are used"));
        if (file_.orientation != 1) remarks_.emplace_back("has an Exif orientation, which is left out");
        take_profile();
        times_ = times_of(file_.frames);
        info_.format = {.H = H, .W = W, .tags = {.range = "tv", .matrix = matrix_for(H)}, .chroma = "444"};
        set_rate(info_.format, usual_rate(file_.frames), {0, 1}, {times_});
        info_.frames = count();
        info_.codec = "webp";
        info_.pixel_format = "bgra";
        animation_.emplace(file_);
    }

    std::int64_t count() const override { return std::int64_t(file_.frames.size()); }
    const std::vector<fs::path>& files() const override { return files_; }
    const VideoInfo* video() const override { return &info_; }
    std::vector<std::string> remarks() override { return std::exchange(remarks_, {}); }
    std::unique_ptr<FrameSource> again() const override
    {
        auto same = std::make_unique<WebpFrames>(files_[0], options_);
        same->remarks_.clear();
        return same;
    }

    bool next(Frame& frame) override
    {
        while (next_ < file_.frames.size()) {
            const std::size_t n = next_++;
            if (!animation_->draw_next()) {
                BIFRONS_CHECK(data, !options_.strict, name(), ": frame ", n, " is damaged",
                              ". Without --strict, what can be decoded is used.");
                continue;
            }
            frame = {.index = index_, .name = video_frame_name(files_[0], index_), .time_s = times_[n]};
            frame.image = shown();
            ++index_;
            return true;
        }
        BIFRONS_CHECK(data, index_ > 0, name(), ": none of ", count(), " frames could be decoded; the file is damaged");
        if (index_ < count() && !std::exchange(ended_, true))
            remarks_.push_back(str("is damaged: ", index_, " of ", count(),
                                   " frames were decoded, and those behind a damaged one may be broken"));
        return false;
    }

  private:
    std::string name() const { return files_[0].string(); }

    void damaged(const std::string& what)
    {
        BIFRONS_CHECK(data, !options_.strict, name(), ": ", what, ". Without --strict, what can be decoded is used.");
        remarks_.push_back(what);
    }

    void take_profile()
    {
        if (file_.profile.empty()) return;
        try {
            profile_ = std::make_unique<ColorProfile>(
                std::vector<std::uint8_t>(file_.profile.begin(), file_.profile.end()), false);
            if (profile_->is_srgb()) profile_.reset();
        } catch (const Error& error) {
            remarks_.push_back(str(error.what(), "; its colours were taken for sRGB"));
        }
    }

    /// BGR in sRGB.
    Image shown()
    {
        const Image& picture = animation_->picture();
        Image image(picture.H, picture.W, 3);
        bool is_opaque = true;
        for (std::size_t i = 0; i < image.pixels.size() / 3; ++i) {
            std::copy_n(&picture.pixels[4 * i], 3, &image.pixels[3 * i]);
            is_opaque = is_opaque && picture.pixels[4 * i + 3] == 255;
        }
        if (!is_opaque && !std::exchange(has_alpha_, true))
            remarks_.emplace_back("has an alpha channel, which is left out");
        return profile_ ? profile_->to_srgb(image) : image;
    }

    std::vector<fs::path> files_;
    ReaderOptions options_;
    std::vector<std::uint8_t> bytes_;
    WebpFile file_;
    VideoInfo info_;
    std::vector<double> times_;
    std::unique_ptr<ColorProfile> profile_; ///< null: sRGB
    std::optional<WebpAnimation> animation_;
    std::vector<std::string> remarks_;
    std::size_t next_ = 0;   ///< in the file
    std::int64_t index_ = 0; ///< of the next frame that is given
    bool has_alpha_ = false; ///< some frame so far
    bool ended_ = false;
};

} // namespace

bool is_webp_file(const fs::path& path)
{
    constexpr std::uint64_t kMark = 12; // bytes
    std::error_code ignored;
    return fs::is_regular_file(path, ignored) && is_webp(read_file(path, kMark));
}

std::unique_ptr<FrameSource> open_animated_webp(const fs::path& path, const ReaderOptions& options)
{
    BIFRONS_CHECK(data, WebpAnimation::is_possible(), path.string(),
                  ": is an animated WebP, and this program was built without libwebp, which reads it; expected an "
                  "animated PNG, a GIF or a video. ImageMagick makes one: convert ",
                  path.filename().string(), " -coalesce apng:", path.stem().string(), ".png");
    return std::make_unique<WebpFrames>(path, options);
}

} // namespace bifrons::data
