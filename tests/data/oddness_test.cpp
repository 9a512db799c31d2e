// tests/data/oddness_test.cpp - which faces of a faceset stand out, and why.
#include "data/oddness.h"

#include "tests/data/faces.h"

#include <gtest/gtest.h>

namespace bifrons::data {
namespace {

/// Alike, as a clip's are.
Faceset alike(std::size_t count)
{
    Faceset set;
    for (std::size_t i = 0; i < count; ++i) {
        FaceRecord face = {.frame = std::int64_t(i), .score = 2, .size = 200, .sharpness = 40};
        face.in_frame = test::turned(0.3, 1, 10, double(i))(test::mean_landmarks(90, 50, 50));
        set.faces.push_back(face);
    }
    return set;
}

TEST(Oddness, FacesThatAreAlikeAreNotOdd)
{
    Faceset set = alike(9);
    set.faces[4].size = 210; // 5 % larger among equals: steady clips are not to be blamed
    const std::vector<Oddness> all = by_oddness(set);
    ASSERT_EQ(all.size(), 9u);
    EXPECT_LT(all[0].value, 1);
    EXPECT_EQ(all[0].face, 4u);
    EXPECT_EQ(all[1].face, 0u) << "in the faceset's order";
    EXPECT_TRUE(by_oddness({}).empty());
}

TEST(Oddness, EachReasonIsNamed)
{
    Faceset set = alike(30);
    set.faces[1].score = 0.4;          // 1.6 below the median of 2, by 0.2: 8
    set.faces[2].sharpness = 4;        // ln 10 / 0.2: 11.5
    set.faces[3].size = 200 / 4.0;     // ln 4 / 0.2: 6.9
    set.faces[4].pose.yaw = 1.02;      // 6
    set.faces[5].pose.pitch = -0.85;   // 5
    set.faces[6].in_frame[30].x += 90; // the tip of the nose, by a template's unit
    set.faces[7].score = 9;            // better than usual
    set.faces[8].sharpness = 400;
    const std::vector<Oddness> all = by_oddness(set);
    const auto of = [&](std::size_t face) {
        return *std::find_if(all.begin(), all.end(), [&](const Oddness& o) { return o.face == face; });
    };
    const auto expect = [&](std::size_t face, const char* reason, double value) {
        EXPECT_STREQ(of(face).reason, reason);
        EXPECT_NEAR(of(face).value, value, 0.01) << reason;
    };
    expect(1, "low score", 8);
    expect(2, "blurred", std::log(10.0) / 0.2);
    expect(3, "small or large", std::log(4.0) / 0.2);
    expect(4, "turned aside", 6);
    expect(5, "looks up or down", 5);
    EXPECT_STREQ(of(6).reason, "unlike a face");
    EXPECT_GT(of(6).value, kOdd);
    for (const std::size_t face : {0, 7, 8, 29}) EXPECT_LT(of(face).value, 1e-6) << face;
    for (std::size_t i = 1; i < all.size(); ++i) EXPECT_GE(all[i - 1].value, all[i].value);
}

TEST(Oddness, DeviationsCountBesideTheUsualOnes)
{
    Faceset set = alike(5);
    const double yaw[] = {-0.6, -0.3, 0, 0.3, 0.6}; // MAD 0.3: 1.4826 * 0.3 = 0.445 a unit
    for (std::size_t i = 0; i < 5; ++i) set.faces[i].pose.yaw = yaw[i];
    const std::vector<Oddness> all = by_oddness(set);
    EXPECT_NEAR(all[0].value, 0.6 / (1.4826 * 0.3), 1e-9);
    EXPECT_EQ(all.back().value, 0);
}

} // namespace
} // namespace bifrons::data
