// data/picture/webp.cpp - what a WebP file says of itself, and the frames of an animated one.
//
// libwebp's own reader of animations refuses files that were cut off, and ends at the first damaged frame.
#include "data/picture/webp.h"

#include "data/picture/bytes.h"
#include "data/picture/tiff_tags.h"

#include <optional>

#if BIFRONS_HAS_WEBP
#include <webp/decode.h>
#endif

namespace bifrons::data {

namespace {

std::optional<WebpFrame> frame_of(ByteView chunk)
{
    constexpr std::size_t kHeader = 16;
    if (chunk.size() < kHeader) return {};
    const std::int64_t flags = number(chunk, 15, 1);
    return WebpFrame{.x = 2 * number(chunk, 0, 3),
                     .y = 2 * number(chunk, 3, 3),
                     .H = number(chunk, 9, 3) + 1,
                     .W = number(chunk, 6, 3) + 1,
                     .ms = number(chunk, 12, 3),
                     .is_blended = (flags & 2) == 0,
                     .is_cleared = (flags & 1) != 0,
                     .coded = chunk.subspan(kHeader)};
}

/// A chunk whose name stands at `at`.
void take(WebpFile& file, ByteView bytes, std::size_t at, ByteView chunk)
{
    constexpr int kAnimated = 2;
    if (has_at(bytes, at, "VP8X")) {
        file.is_animated = number(chunk, 0, 1) & kAnimated;
        file.W = number(chunk, 4, 3) + 1;
        file.H = number(chunk, 7, 3) + 1;
    } else if (has_at(bytes, at, "VP8 ") && file.W == 0) {
        file.W = number(chunk, 6, 2) & 0x3FFF;
        file.H = number(chunk, 8, 2) & 0x3FFF;
    } else if (has_at(bytes, at, "VP8L") && file.W == 0) {
        file.W = (number(chunk, 1, 4) & 0x3FFF) + 1;
        file.H = (number(chunk, 1, 4) >> 14 & 0x3FFF) + 1;
    } else if (has_at(bytes, at, "EXIF")) {
        file.orientation = orientation_in(chunk);
    } else if (has_at(bytes, at, "ICCP")) {
        file.profile = chunk;
    } else if (has_at(bytes, at, "ANMF")) {
        if (const std::optional<WebpFrame> frame = frame_of(chunk)) file.frames.push_back(*frame);
    }
}

/// BGRA of a frame's size; false where it is damaged.
bool decode(const WebpFrame& frame, Image& picture)
{
#if BIFRONS_HAS_WEBP
    int W = 0, H = 0;
    return WebPGetInfo(frame.coded.data(), frame.coded.size(), &W, &H) != 0 && W == frame.W && H == frame.H &&
           WebPDecodeBGRAInto(frame.coded.data(), frame.coded.size(), picture.pixels.data(), picture.pixels.size(),
                              int(4 * W)) != nullptr;
#else
    return frame.coded.empty() && picture.pixels.empty();
#endif
}

/// `from`, BGRA, over `to`.
void blend(const std::uint8_t* from, std::uint8_t* to)
{
    const int above = 255 * from[3], below = (255 - from[3]) * to[3], all = above + below;
    if (all == 0) return;
    for (int c = 0; c < 3; ++c) to[c] = std::uint8_t((from[c] * above + to[c] * below + all / 2) / all);
    to[3] = std::uint8_t((all + 127) / 255);
}

} // namespace

bool is_webp(ByteView bytes)
{
    return has_at(bytes, 0, "RIFF") && has_at(bytes, 8, "WEBP");
}

WebpFile read_webp(ByteView bytes)
{
    WebpFile file;
    file.is_cut = std::size_t(number(bytes, 4, 4)) + 8 > bytes.size();
    for (std::size_t at = 12; at + 8 <= bytes.size();) {
        const auto length = std::size_t(number(bytes, at + 4, 4));
        const std::size_t left = bytes.size() - at - 8;
        if (length <= left || !has_at(bytes, at, "ANMF"))
            take(file, bytes, at, bytes.subspan(at + 8, std::min(length, left)));
        else
            file.is_cut = true;
        at += 8 + length + length % 2;
    }
    return file;
}

bool WebpAnimation::is_possible()
{
    return BIFRONS_HAS_WEBP;
}

WebpAnimation::WebpAnimation(const WebpFile& file) : frames_(file.frames), picture_(file.H, file.W, 4) {}

bool WebpAnimation::draw_next()
{
    if (last_ && last_->is_cleared)
        for (std::int64_t y = 0; y < last_->H; ++y)
            std::fill_n(picture_.at(last_->y + y, last_->x), 4 * last_->W, std::uint8_t(0));
    last_ = nullptr;
    const WebpFrame& frame = frames_[next_++];
    if (frame.x + frame.W > picture_.W || frame.y + frame.H > picture_.H) return false;
    Image drawn(frame.H, frame.W, 4);
    if (!decode(frame, drawn)) return false;
    for (std::int64_t y = 0; y < frame.H; ++y)
        for (std::int64_t x = 0; x < frame.W; ++x) {
            std::uint8_t* to = picture_.at(frame.y + y, frame.x + x);
            if (frame.is_blended)
                blend(drawn.at(y, x), to);
            else
                std::copy_n(drawn.at(y, x), 4, to);
        }
    last_ = &frame;
    return true;
}

} // namespace bifrons::data
