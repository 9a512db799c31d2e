#include "tools/comparison.h"

#include "data/alignment.h"
#include "data/media/frames.h"
#include "data/warp.h"
#include "kernels/base/error.h"

#include <algorithm>

namespace bifrons::tools {

namespace {

constexpr std::int64_t kGap = 4; // px between the pictures

void put(data::Image& sheet, std::int64_t x, const data::Image& picture)
{
    for (std::int64_t y = 0; y < picture.H; ++y) std::copy_n(picture.at(y, 0), picture.W * 3, sheet.at(y, x));
}

data::Image frame_at(const std::filesystem::path& video, std::int64_t index)
{
    const auto frames = data::open_frames(video);
    data::Frame frame;
    for (std::int64_t n = 0; n <= index; ++n)
        BIFRONS_CHECK(data, frames->next(frame), video.string(), ": has ", n, " frames; expected frame ", index);
    return frame.image;
}

} // namespace

data::Image comparison(const data::Image& before, const data::Image& after, const data::Landmarks& face)
{
    BIFRONS_CHECK(shape, before.H == after.H && before.W == after.W, "comparison: frames of ", before.W, "x", before.H,
                  " and ", after.W, "x", after.H, "; expected the same size");
    const std::int64_t side = after.H;
    data::Image sheet(side, before.W + after.W + side + 2 * kGap, 3);
    std::fill(sheet.pixels.begin(), sheet.pixels.end(), std::uint8_t(255));
    put(sheet, 0, before);
    put(sheet, before.W + kGap, after);
    const data::Affine close_up = data::face_from_frame(face, data::FaceType::full, side);
    put(sheet, before.W + after.W + 2 * kGap, data::warp(after, close_up, side, side));
    return sheet;
}

data::Image comparison(const std::filesystem::path& before, const std::filesystem::path& after, std::int64_t index,
                       const data::Landmarks& face)
{
    return comparison(frame_at(before, index), frame_at(after, index), face);
}

} // namespace bifrons::tools
