// tests/data/face_looks_test.cpp - what pictures of faces look like, the order of likeness, and the choice of the best.
#include "data/face_looks.h"

#include "tests/data/faces.h"
#include "tests/data/folder.h"

#include <gtest/gtest.h>

#include <cmath>

namespace bifrons::data {
namespace {

/// A look of one grey.
FaceLook grey(int level)
{
    FaceLook look;
    look.small.fill(std::uint8_t(level));
    return look;
}

TEST(FaceLooks, are_those_of_the_faces_region)
{
    const test::Folder folder;
    std::filesystem::create_directories(folder / "images");
    Faceset set{.folder = folder.path(), .side = 64};
    Image mask(64, 64, 1);
    for (std::int64_t y = 0; y < 32; ++y)
        for (std::int64_t x = 0; x < 64; ++x) *mask.at(y, x) = 255;
    save_image(folder / "mask.png", mask);
    const auto add = [&](const std::string& name, std::uint8_t b, std::uint8_t g, std::uint8_t r) {
        Image picture(64, 64, 3); // black but for its upper half
        for (std::int64_t y = 0; y < 32; ++y)
            for (std::int64_t x = 0; x < 64; ++x) std::copy_n(std::array{b, g, r}.data(), 3, picture.at(y, x));
        save_image(folder / name, picture);
        set.faces.push_back({.file = name, .mask = "mask.png"});
    };
    add("red.png", 0, 0, 255);
    add("yellow.png", 0, 128, 128);
    add("blue.png", 255, 0, 0);
    add("white.png", 255, 255, 255);
    set.faces.push_back({.file = "gone.png", .mask = "mask.png"});
    const FaceLooks looks = looks_of(set, {});
    ASSERT_EQ(looks.of.size(), 5u);
    EXPECT_NEAR(looks.of[0]->brightness, 29.9, 1e-9);
    EXPECT_NEAR(looks.of[0]->hue, 0, 1e-9);
    EXPECT_NEAR(looks.of[0]->black, 50, 1e-9);
    EXPECT_NEAR(looks.of[1]->hue, 60, 1e-9);
    EXPECT_NEAR(looks.of[2]->hue, -120, 1e-9);
    EXPECT_NEAR(looks.of[3]->brightness, 100, 1e-9);
    EXPECT_EQ(looks.of[3]->hue, 0);
    EXPECT_EQ(looks.of[3]->small[0], 255);
    EXPECT_EQ(looks.of[3]->small.back(), 0);
    EXPECT_FALSE(looks.of[4]);
    ASSERT_EQ(looks.unreadable.size(), 1u);
    EXPECT_NE(looks.unreadable[0].find("gone.png: does not exist"), std::string::npos) << looks.unreadable[0];
}

TEST(FaceLooks, order_of_likeness)
{
    EXPECT_EQ(distance(grey(10), grey(13)), 3);
    FaceLook one = grey(0);
    one.small[5] = 255;
    EXPECT_NEAR(distance(one, grey(0)), 255 / std::sqrt(768.0), 1e-12);

    const std::vector<std::optional<FaceLook>> looks = {grey(200), grey(80), std::nullopt,
                                                        grey(90),  grey(70), grey(94)};
    std::vector<std::size_t> order;
    std::vector<double> distances;
    for (const Link& link : by_likeness(looks)) { // their mean is 106.8
        order.push_back(link.face);
        distances.push_back(link.distance);
    }
    EXPECT_EQ(order, (std::vector<std::size_t>{5, 3, 1, 4, 0}));
    EXPECT_EQ(distances, (std::vector<double>{0, 4, 10, 10, 130}));
    EXPECT_TRUE(by_likeness({std::nullopt}).empty());
}

TEST(FaceLooks, the_best_are_spread_sharp_and_unlike)
{
    Faceset set;
    std::vector<std::optional<FaceLook>> looks;
    std::vector<std::size_t> all;
    const auto add = [&](double yaw, double sharpness, int level) {
        all.push_back(set.faces.size());
        set.faces.push_back({.sharpness = sharpness, .pose = {.yaw = yaw * M_PI / 180}});
        looks.emplace_back(grey(level));
    };
    for (int i = 0; i < 12; ++i) add(2, 100 - i, 10 * i); // 0-11: one pose, ever less sharp
    add(2, 50, 1);                                        // 12: nearly as 0
    add(40, 1, 200);                                      // 13: a rare pose, blurred
    add(-31, 2, 100);                                     // 14, 15: another one
    add(-32, 3, 100);                                     // 15 is the sharper one of two that are alike
    add(2, 200, 30);                                      // 16: the sharpest, without a look
    looks.back().reset();

    const BestFaces five = best_faces(set, all, looks, 5);
    EXPECT_EQ(five.alike, 2);
    // Of the common pose three: the sharpest, the most unlike of the nine sharpest, and the most unlike of both.
    EXPECT_EQ(five.faces, (std::vector<std::size_t>{0, 4, 8, 15, 13}));
    EXPECT_EQ(best_faces(set, all, looks, 1).faces, (std::vector<std::size_t>{0}));
    EXPECT_EQ(best_faces(set, all, looks, 100).faces.size(), 14u) << "all but those left out";
    EXPECT_EQ(best_faces(set, {14, 16, 13}, looks, 100).faces, (std::vector<std::size_t>{14, 13}));
}

} // namespace
} // namespace bifrons::data
