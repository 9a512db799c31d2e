// tests/data/layer_test.cpp - layers over frames, and over each other.
#include "data/merge/layer.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace bifrons::data {
namespace {

/// One pixel.
Layer dot(std::int64_t y, std::int64_t x, float colour, float weight)
{
    Layer layer{y, x, ImageF(1, 1, 3), ImageF(1, 1, 1)};
    std::fill(layer.colour.pixels.begin(), layer.colour.pixels.end(), colour);
    layer.weight.pixels = {weight};
    return layer;
}

TEST(Layer, is_blended_in_the_frames_own_depth)
{
    Picture<std::uint16_t> deep(1, 2, 3);
    deep.pixels = {1000, 1000, 1000, 301, 302, 303};
    lay_over(dot(0, 0, 0.5f, 0.25f), deep); // 1000 + (32767.5 - 1000) / 4
    EXPECT_EQ(deep.pixels, (std::vector<std::uint16_t>{8942, 8942, 8942, 301, 302, 303}));
    Image frame(1, 2, 3);
    frame.pixels = {100, 100, 100, 7, 8, 9};
    lay_over(dot(0, 0, 0.5f, 0.25f), frame); // 100 + (127.5 - 100) / 4
    EXPECT_EQ(frame.pixels, (std::vector<std::uint8_t>{107, 107, 107, 7, 8, 9}));
    lay_over(dot(0, 1, 1, 0), frame);
    lay_over(dot(-1, 0, 1, 1), frame);
    lay_over(dot(0, 2, 1, 1), frame);
    EXPECT_EQ(frame.pixels, (std::vector<std::uint8_t>{107, 107, 107, 7, 8, 9})) << "without weight, or beside it";
}

TEST(Layer, as_a_picture_it_gives_what_the_layers_give)
{
    constexpr std::int64_t kSide = 40;
    std::mt19937 random(1);
    std::uniform_real_distribution<float> unit(0, 1);
    std::vector<Layer> layers;
    for (const std::int64_t at : {-3, 10, 14}) { // the last two share 20 pixels a side
        Layer layer{at, at, ImageF(24, 24, 3), ImageF(24, 24, 1)};
        for (float& v : layer.colour.pixels) v = unit(random);
        for (float& v : layer.weight.pixels) v = std::max(0.0f, 1.2f * unit(random) - 0.2f);
        layers.push_back(layer);
    }
    Image frame(kSide, kSide, 3);
    for (std::uint8_t& v : frame.pixels) v = std::uint8_t(random());
    Image want = frame;
    for (const Layer& layer : layers) lay_over(layer, want);
    const Image one = flattened<std::uint8_t>(layers, kSide, kSide);
    const Image weights = weights_of<std::uint8_t>(layers, kSide, kSide);
    // Rounded: colour, weight, and the result, as against a result rounded once for each of three layers.
    for (std::int64_t i = 0; i < kSide * kSide; ++i) {
        const std::uint8_t* bgra = &one.pixels[std::size_t(4 * i)];
        ASSERT_EQ(weights.pixels[std::size_t(3 * i)], bgra[3]);
        for (std::int64_t c = 0; c < 3; ++c) {
            const auto n = std::size_t(3 * i + c);
            const double got = frame.pixels[n] + bgra[3] / 255.0 * (bgra[c] - frame.pixels[n]);
            ASSERT_NEAR(got, want.pixels[n], 2) << i;
        }
    }
    EXPECT_EQ(one.at(30, 5)[3], 0);
    EXPECT_GT(*std::max_element(weights.pixels.begin(), weights.pixels.end()), 250);
}

} // namespace
} // namespace bifrons::data
