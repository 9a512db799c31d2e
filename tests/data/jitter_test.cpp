// tests/data/jitter_test.cpp - what moves evenly does not jitter; what shakes does, by a known amount.
#include "data/jitter.h"

#include "tests/data/faces.h"

#include <gtest/gtest.h>

namespace bifrons::data {
namespace {

using test::mean_landmarks;

double eyes_apart(double unit) // centres of the mean face's eyes
{
    const auto middle = [](std::size_t begin) {
        Point sum;
        for (std::size_t i = begin; i < begin + 6; ++i) sum.x += kMeanFace[i].x / 6, sum.y += kMeanFace[i].y / 6;
        return sum;
    };
    const Point left = middle(19), right = middle(25);
    return unit * std::hypot(right.x - left.x, right.y - left.y);
}

TEST(LandmarkJitter, IsZeroForEvenMotion)
{
    std::vector<std::optional<Landmarks>> frames;
    for (int t = 0; t < 5; ++t) frames.push_back(mean_landmarks(100, 10 + 3 * t, 20 - 2 * t));
    EXPECT_NEAR(*landmark_jitter(frames), 0, 1e-12);
}

TEST(LandmarkJitter, IsTheSecondDifferenceInUnitsOfTheEyesDistance)
{
    std::vector<std::optional<Landmarks>> frames;
    for (int t = 0; t < 4; ++t) frames.push_back(mean_landmarks(100, t % 2 ? 10 : 13, t % 2 ? 24 : 20)); // 5 px
    EXPECT_NEAR(*landmark_jitter(frames), 10 / eyes_apart(100), 1e-9);
    (*frames[1])[8].y += 9; // the jaw and the mouth do not count
    (*frames[2])[60].x += 9;
    EXPECT_NEAR(*landmark_jitter(frames), 10 / eyes_apart(100), 1e-9);
}

TEST(LandmarkJitter, NeedsThreeFramesInARow)
{
    const std::optional<Landmarks> here = mean_landmarks(100, 0, 0), there = mean_landmarks(100, 50, 0), none;
    EXPECT_FALSE(landmark_jitter({}));
    EXPECT_FALSE(landmark_jitter({here, there}));
    EXPECT_FALSE(landmark_jitter({here, there, none, here, there}));
    EXPECT_NEAR(*landmark_jitter({there, none, here, here, here}), 0, 1e-12);
}

TEST(ColourJitter, IsTheSecondDifferenceOfTheMeanColour)
{
    EXPECT_NEAR(*colour_jitter({Colour{1, 10, 100}, Colour{2, 12, 90}, Colour{3, 14, 80}}), 0, 1e-12);
    EXPECT_NEAR(*colour_jitter({Colour{0, 0, 9}, Colour{3, 0, 9}, Colour{0, 0, 9}, Colour{0, 3, 9}}),
                (6.0 + 3 + 3) / 3 / 2, 1e-12); // -6; then 3 in blue and 3 in green
    EXPECT_FALSE(colour_jitter({Colour{}, Colour{}, std::nullopt}));
}

TEST(ColourJitter, TakesTheColourUnderTheFace)
{
    const Landmarks face = mean_landmarks(40, 20, 20);
    Image frame(90, 90, 3);
    for (std::int64_t i = 0; i < 90 * 90; ++i) frame.pixels[std::size_t(3 * i + 2)] = 200;
    *frame.at(0, 0) = 255; // far from the face
    const Colour colour = *face_colour(frame, face);
    EXPECT_NEAR(colour[0], 0, 1e-12);
    EXPECT_NEAR(colour[2], 200, 1e-9);
    EXPECT_FALSE(face_colour(frame, mean_landmarks(40, 500, 500)));
}

} // namespace
} // namespace bifrons::data
