// tests/data/quality_test.cpp - PSNR, SSIM and sharpness by hand, and SSIM against the definition of the training loss.
#include "data/quality.h"

#include "kernels/base/error.h"
#include "kernels/losses/dssim_ref.h"
#include "tests/data/folder.h"
#include "tests/support/numerics.h"

#include <algorithm>

namespace bifrons::data {
namespace {

ImageF filled(std::int64_t H, std::int64_t W, float value)
{
    ImageF image(H, W, 3);
    std::fill(image.pixels.begin(), image.pixels.end(), value);
    return image;
}

ImageF noise(std::int64_t H, std::int64_t W, std::uint32_t seed)
{
    ImageF image(H, W, 3);
    image.pixels = test::random_values(H * W * 3, seed, 0, 1);
    return image;
}

TEST(Psnr, IsTwentyDecibelsForATenthEverywhere)
{
    EXPECT_NEAR(psnr(filled(2, 3, 0.5f), filled(2, 3, 0.6f)), 20, 1e-5);
    ImageF one = filled(2, 5, 0.25f);
    one.at(1, 3)[2] = 1.25f; // 1 in one of 30 values
    EXPECT_NEAR(psnr(one, filled(2, 5, 0.25f)), 10 * std::log10(30.0), 1e-9);
}

TEST(Psnr, OfEqualPicturesIsThatOfRoundingToBytes)
{
    const ImageF a = noise(64, 64, 5);
    EXPECT_NEAR(psnr(a, a), 58.92, 0.005);
    ImageF rounded = a;
    for (float& v : rounded.pixels) v = std::round(v * 255) / 255;
    EXPECT_NEAR(psnr(a, rounded), psnr(a, a), 0.1);
    EXPECT_NEAR(psnr(filled(2, 2, 0.5f), filled(2, 2, 0.502f)), 20 * std::log10(1 / 0.002), 1e-3) << "above the cap";
}

TEST(Psnr, CountsWhereTheMaskIs)
{
    ImageF a = filled(1, 2, 0.5f), b = a;
    b.at(0, 0)[0] = b.at(0, 0)[1] = b.at(0, 0)[2] = 0.6f;
    ImageF mask(1, 2, 1);
    mask.pixels = {1, 0};
    EXPECT_NEAR(psnr(a, b, mask), 20, 1e-5);
    mask.pixels = {0.25f, 0.75f};
    EXPECT_NEAR(psnr(a, b, mask), 20 + 10 * std::log10(4.0), 1e-5);
    mask.pixels = {0, 1};
    EXPECT_EQ(psnr(a, b, mask), psnr(a, a)) << "the difference does not count";
    mask.pixels = {0, 0};
    BIFRONS_EXPECT_ERROR(psnr(a, b, mask), shape, "leaves nothing");
    BIFRONS_EXPECT_ERROR(psnr(a, filled(2, 1, 0)), shape, "expected the same size");
    b.pixels[0] = NAN;
    EXPECT_TRUE(std::isnan(psnr(a, b)));
}

TEST(Ssim, OfFlatPicturesFollowsFromTheirMeans)
{
    const double c1 = 1e-4, want = (2 * 0.25 * 0.75 + c1) / (0.0625 + 0.5625 + c1);
    EXPECT_NEAR(ssim(filled(11, 14, 0.25f), filled(11, 14, 0.75f)), want, 1e-9);
}

TEST(Ssim, IsOneForItselfAndAgreesWithTheDefinition)
{
    const ImageF a = noise(15, 13, 1), b = noise(15, 13, 2);
    EXPECT_NEAR(ssim(a, a), 1, 1e-12);
    const kernels::DssimShape s{.N = 1, .H = 15, .W = 13, .C = 3, .window = 11};
    double loss = 0; // (1 - SSIM) / 2, mean over the same windows
    kernels::ref::dssim_fwd<double>(s, test::cast<double>(a.pixels).data(), test::cast<double>(b.pixels).data(),
                                    nullptr, 1.0, &loss);
    EXPECT_NEAR(ssim(a, b), 1 - 2 * loss, 1e-9);
    EXPECT_NEAR(ssim(b, a), ssim(a, b), 1e-12);
}

TEST(Comparable, WhereAWindowHasItsMiddleAmongFourNeighboursInTheMask)
{
    ImageF mask(13, 12, 1);
    EXPECT_FALSE(comparable(mask));
    *mask.at(4, 6) = *mask.at(8, 6) = *mask.at(7, 4) = *mask.at(7, 7) = 1;
    EXPECT_FALSE(comparable(mask));
    BIFRONS_EXPECT_ERROR(ssim(noise(13, 12, 1), noise(13, 12, 2), mask), shape, "no window");
    *mask.at(7, 6) = 0.1f;
    EXPECT_NO_THROW(ssim(noise(13, 12, 1), noise(13, 12, 2), mask));
    EXPECT_FALSE(comparable(mask)) << "it has no four neighbours in the mask";
    BIFRONS_EXPECT_ERROR(sharpness(noise(13, 12, 1), noise(13, 12, 2), mask), shape, "leaves nothing");
    *mask.at(6, 6) = *mask.at(7, 5) = 0.1f;
    EXPECT_TRUE(comparable(mask));
    EXPECT_NO_THROW(sharpness(noise(13, 12, 1), noise(13, 12, 2), mask));
}

TEST(Ssim, WindowsCountByTheMaskAtTheirMiddle)
{
    const ImageF a = noise(11, 12, 3), b = noise(11, 12, 4); // two windows: middles (5,5) and (5,6)
    const auto part = [](const ImageF& image, std::int64_t left) {
        ImageF out(11, 11, 3);
        for (std::int64_t y = 0; y < 11; ++y) std::copy_n(image.at(y, left), 33, out.at(y, 0));
        return out;
    };
    const double first = ssim(part(a, 0), part(b, 0)), second = ssim(part(a, 1), part(b, 1));
    ImageF mask(11, 12, 1);
    *mask.at(5, 5) = 0.25f;
    *mask.at(5, 6) = 0.75f;
    EXPECT_NEAR(ssim(a, b, mask), 0.25 * first + 0.75 * second, 1e-12);
    EXPECT_GT(std::abs(first - second), 1e-3);
    mask = ImageF(11, 12, 1);
    *mask.at(0, 0) = 1; // the middle of no window
    BIFRONS_EXPECT_ERROR(ssim(a, b, mask), shape, "leaves no window");
    BIFRONS_EXPECT_ERROR(ssim(noise(10, 12, 1), noise(10, 12, 2)), shape, "at least 11");
}

TEST(Sharpness, IsTheShareOfDetailThatIsLeft)
{
    // One bright pixel of three channels: of the 9 inner ones it has 4, its neighbours -1 each.
    ImageF dot = filled(5, 5, 0), half = dot;
    for (int c = 0; c < 3; ++c) dot.at(2, 2)[c] = 1, half.at(2, 2)[c] = 0.5f;
    const double detail = (16.0 + 4) / 9, rounding = 20.0 / 12 / (255 * 255);
    EXPECT_NEAR(sharpness(half, dot), std::sqrt((detail / 4 + rounding) / (detail + rounding)), 1e-12);
    EXPECT_NEAR(sharpness(half, dot), 0.5, 1e-4);
    EXPECT_NEAR(sharpness(dot, half), 2, 1e-3);
    EXPECT_EQ(sharpness(dot, dot), 1);
}

TEST(Sharpness, CountsInsideTheMaskAndNotAcrossItsEdge)
{
    ImageF detail = noise(16, 16, 3), flat = filled(16, 16, 0.5f), mask(16, 16, 1);
    for (std::int64_t y = 4; y < 12; ++y)
        for (std::int64_t x = 4; x < 12; ++x) *mask.at(y, x) = 1;
    ImageF pasted = detail; // what a swap without any detail is: flat inside, the picture outside
    for (std::int64_t y = 4; y < 12; ++y)
        for (std::int64_t x = 4; x < 12; ++x)
            for (int c = 0; c < 3; ++c) pasted.at(y, x)[c] = 0.5f;
    EXPECT_EQ(sharpness(pasted, detail, mask), sharpness(flat, detail, mask));
    EXPECT_LT(sharpness(pasted, detail, mask), 0.01);
    ImageF other = detail; // outside of the mask nothing counts
    other.at(3, 7)[0] += 1;
    EXPECT_EQ(sharpness(other, detail, mask), 1);
    other.at(5, 7)[0] += 1;
    EXPECT_GT(sharpness(other, detail, mask), 1.1);
}

TEST(Sharpness, OfPicturesWithoutDetailIsOne)
{
    EXPECT_NEAR(sharpness(filled(9, 9, 0.25f), filled(9, 9, 0.75f)), 1, 1e-9);
    ImageF slope = filled(64, 64, 0);
    for (std::int64_t y = 0; y < 64; ++y)
        for (std::int64_t x = 0; x < 64; ++x)
            for (int c = 0; c < 3; ++c) slope.at(y, x)[c] = float(x + y) / 128;
    ImageF rounded = slope;
    for (float& v : rounded.pixels) v = std::round(v * 255) / 255;
    EXPECT_NEAR(sharpness(slope, filled(64, 64, 0.5f)), 1, 1e-4);
    EXPECT_LT(sharpness(rounded, slope), 2) << "rounding to bytes is no detail";
}

TEST(Sharpness, RefusesWhatItCannotCompare)
{
    BIFRONS_EXPECT_ERROR(sharpness(filled(2, 9, 0), filled(2, 9, 0)), shape, "at least 3x3");
    BIFRONS_EXPECT_ERROR(sharpness(filled(5, 5, 0), filled(5, 5, 0), ImageF(5, 5, 1)), shape, "leaves nothing");
    BIFRONS_EXPECT_ERROR(sharpness(filled(5, 5, 0), filled(5, 6, 0)), shape, "expected the same size");
}

} // namespace
} // namespace bifrons::data
