// data/media/deep.cpp - 16 bits a channel beside 8.
#include "data/media/deep.h"

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

} // namespace bifrons::data
