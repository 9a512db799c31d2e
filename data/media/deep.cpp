// data/media/deep.cpp - 16 bits a channel beside 8.
#include "data/media/deep.h"

#include "kernels/base/error.h"

#include <algorithm>

namespace bifrons::data {

namespace {

constexpr int kLevel = 257; // 65535 / 255

std::uint8_t to_byte(std::uint16_t value)
{
    return std::uint8_t((value + kLevel / 2) / kLevel);
}

} // namespace

Image to_bytes(const DeepImage& deep)
{
    Image image(deep.H, deep.W, deep.C);
    std::transform(deep.pixels.begin(), deep.pixels.end(), image.pixels.begin(), to_byte);
    return image;
}

DeepImage to_deep(const Image& image)
{
    DeepImage deep(image.H, image.W, image.C);
    std::transform(image.pixels.begin(), image.pixels.end(), deep.pixels.begin(),
                   [](std::uint8_t value) { return std::uint16_t(value * kLevel); });
    return deep;
}

void follow(DeepImage& deep, const Image& worked)
{
    BIFRONS_CHECK(shape, deep.H == worked.H && deep.W == worked.W && deep.C == worked.C, "follow: pictures of ", deep.W,
                  "x", deep.H, " and ", worked.W, "x", worked.H, "; expected the same size");
    std::transform(deep.pixels.begin(), deep.pixels.end(), worked.pixels.begin(), deep.pixels.begin(),
                   [](std::uint16_t value, std::uint8_t after) {
                       return std::uint16_t(std::clamp(value + kLevel * (after - to_byte(value)), 0, 65535));
                   });
}

} // namespace bifrons::data
