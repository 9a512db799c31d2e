// tests/data/warp_test.cpp - pictures under an affine map.
#include "data/warp.h"

#include "kernels/base/error.h"
#include "tests/data/faces.h"
#include "tests/data/folder.h"
#include "tests/support/numerics.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace bifrons::data {
namespace {

Image noise(std::int64_t H, std::int64_t W, std::int64_t C)
{
    Image image(H, W, C);
    const auto values = test::random_values<double>(H * W * C, 7, 0, 256);
    std::copy(values.begin(), values.end(), image.pixels.begin());
    return image;
}

TEST(Warp, WholeShiftsAreExactAndTheBorderRepeats)
{
    for (const int C : {1, 3}) {
        const Image in = noise(9, 7, C);
        EXPECT_EQ(warp(in, {}, 9, 7).pixels, in.pixels);
        const Image out = warp(in, Affine{{1, 0, 3, 0, 1, -2}}, 11, 12); // 3 to the right, 2 up
        for (std::int64_t y = 0; y < 11; ++y)
            for (std::int64_t x = 0; x < 12; ++x) {
                const auto v = std::clamp<std::int64_t>(y + 2, 0, 8), u = std::clamp<std::int64_t>(x - 3, 0, 6);
                for (int c = 0; c < C; ++c) ASSERT_EQ(out.at(y, x)[c], in.at(v, u)[c]) << y << " " << x;
            }
    }
}

TEST(Warp, AConstantStaysAConstantUnderAnyMap)
{
    ImageF in(20, 31, 3);
    std::fill(in.pixels.begin(), in.pixels.end(), 0.375f);
    for (const Affine& map :
         {test::turned(0.7, 1.3, 5, -8), test::turned(2, 0.11, 9, 9), test::turned(0.1, 9, -700, 30)})
        for (const float v : warp(in, map, 24, 17).pixels)
            EXPECT_NEAR(v, 0.375f, 2e-6f); // 16 roundings, weights in +-1.3
}

TEST(Warp, ARampStaysARampWhenTurned)
{
    ImageF in(64, 64, 1);
    for (std::int64_t y = 0; y < 64; ++y)
        for (std::int64_t x = 0; x < 64; ++x) *in.at(y, x) = 0.25f * float(x) + 0.125f * float(y);
    const Affine map = test::turned(0.6, 1.25, 9, -16);
    const ImageF out = warp(in, map, 40, 40);
    int checked = 0;
    for (std::int64_t y = 0; y < 40; ++y)
        for (std::int64_t x = 0; x < 40; ++x) {
            const Point s = map.inverse()(Point{double(x), double(y)});
            if (s.x < 3 || s.y < 3 || s.x > 60 || s.y > 60) continue;
            ++checked;
            EXPECT_NEAR(*out.at(y, x), 0.25 * s.x + 0.125 * s.y,
                        1e-4); // the cubic is exact for polynomials of degree 2
        }
    EXPECT_GT(checked, 1000);
}

TEST(Warp, ShrinkingDoesNotAlias)
{
    Image stripes(256, 256, 1); // one pixel dark, one bright: nothing but grey is left at a third
    for (std::int64_t y = 0; y < 256; ++y)
        for (std::int64_t x = 0; x < 256; ++x) *stripes.at(y, x) = x % 2 ? 255 : 0;
    const Image out = warp(stripes, test::turned(0.2, 0.3, 40, 5), 60, 60);
    const Affine back = test::turned(0.2, 0.3, 40, 5).inverse();
    for (std::int64_t y = 0; y < 60; ++y)
        for (std::int64_t x = 0; x < 60; ++x) {
            const Point s = back(Point{double(x), double(y)});
            if (s.x < 10 || s.y < 10 || s.x > 245 || s.y > 245) continue;
            EXPECT_NEAR(*out.at(y, x), 127.5, 8);
        }
}

TEST(Warp, GreyIsLuma)
{
    Image in(1, 2, 3);
    in.pixels = {10, 20, 30, 255, 255, 255};
    EXPECT_EQ(to_grey(in).pixels, (std::vector<std::uint8_t>{22, 255})); // 0.114*10 + 0.587*20 + 0.299*30 = 21.9
}

TEST(Warp, MapsThatCannotBeAreRefused)
{
    const Image in(8, 8, 3);
    const double nan = std::nan(""), big = 1e308;
    for (const Affine& map :
         {Affine{{0, 0, 1, 0, 0, 1}}, Affine{{nan, 0, 0, 0, 1, 0}}, Affine{{1, 0, big * 10, 0, 1, 0}},
          Affine{{1e-5, 0, 0, 0, 1e-5, 0}}, Affine{{1, 2, 0, 2, 4, 0}}})
        BIFRONS_EXPECT_ERROR(warp(in, map, 4, 4), data, "warp: the map [");
    EXPECT_EQ(warp(in, {{0.125, 0, 0, 0, 0.125, 0}}, 1, 1).H, 1) << "the whole picture in a pixel";
}

} // namespace
} // namespace bifrons::data
