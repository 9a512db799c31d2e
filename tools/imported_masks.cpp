#include "tools/imported_masks.h"

#include "kernels/base/error.h"

namespace bifrons::tools {

namespace {

namespace fs = std::filesystem;

void check_size(const fs::path& file, const data::PictureHeader& mask, std::int64_t H, std::int64_t W)
{
    BIFRONS_CHECK(usage, mask.H == H && mask.W == W, file.string(), ": is ", mask.W, "x", mask.H,
                  "; expected its frame's ", W, "x", H);
}

} // namespace

ImportedMasks::ImportedMasks(const std::string& folder, const data::FrameSource& frames)
{
    for (const fs::path& file : data::pictures_in(folder).files) files_[file.stem().string()] = file;
    const fs::path input = frames.files()[0];
    for (std::int64_t n = 0; n < frames.count(); ++n) {
        const data::VideoInfo* video = frames.video();
        const fs::path file = video ? input : frames.files()[std::size_t(n)];
        const auto mask = files_.find(video ? data::video_frame_name(input, n) : file.stem().string());
        if (mask == files_.end()) {
            ++missing_;
            continue;
        }
        const data::PictureHeader frame =
            video ? data::PictureHeader{video->format.H, video->format.W} : data::look_at_picture(file);
        check_size(mask->second, data::look_at_picture(mask->second), frame.H, frame.W);
    }
    BIFRONS_CHECK(usage, missing_ < frames.count(), folder, ": has no picture that is named like a frame of ",
                  input.string(), "; expected names like ", data::video_frame_name(input, 12), ".png");
}

std::optional<data::Image> ImportedMasks::of(const data::Frame& frame) const
{
    const auto file = files_.find(frame.name);
    if (file == files_.end()) return {};
    data::Image mask = data::load_image(file->second);
    check_size(file->second, {mask.H, mask.W}, frame.image.H, frame.image.W);
    return mask;
}

} // namespace bifrons::tools
