// tests/data/coverage_test.cpp - what a faceset shows, on records and pictures that are known.
#include "data/coverage.h"

#include "kernels/base/error.h"
#include "tests/data/faces.h"
#include "tests/data/folder.h"

#include <gtest/gtest.h>

namespace bifrons::data {
namespace {

using test::Folder;
namespace fs = std::filesystem;

constexpr double kRadian = 3.14159265358979323846 / 180; // a degree

/// A mean face, 100 px from brow end to brow end in the footage.
FaceRecord face_of(const Faceset& set, double unit = 100)
{
    FaceRecord face;
    face.in_frame = test::mean_landmarks(unit, 50, 50);
    face.matrix = face_from_frame(face.in_frame, set.type, set.side);
    face.in_face = face.matrix(face.in_frame);
    return face;
}

void add(Faceset& set, FaceRecord face, const Image& picture)
{
    face.file = str("face_", set.faces.size(), ".png");
    save_image(set.folder / face.file, picture);
    face.checksum = checksum_of(read_file(set.folder / face.file));
    set.faces.push_back(face);
}

Image grey(std::int64_t side, std::uint8_t value)
{
    Image image(side, side, 3);
    std::fill(image.pixels.begin(), image.pixels.end(), value);
    return image;
}

TEST(Coverage, PoseInDegreesAndOpeningsInPercentOfTheirWidth)
{
    const Folder folder;
    Faceset set = {.folder = folder.path(), .side = 64};
    FaceRecord face = face_of(set);
    face.pose = {.pitch = -12 * kRadian, .yaw = 25 * kRadian, .roll = 90 * kRadian};
    const auto put = [&](std::size_t first, std::initializer_list<Point> points) {
        std::copy(points.begin(), points.end(), face.in_face.begin() + std::ptrdiff_t(first));
    };
    put(60, {{10, 50}, {15, 48}, {20, 47}, {25, 48}, {30, 50}, {25, 51}, {20, 52}, {15, 51}}); // gaps 3, 5, 3 of 20
    put(36, {{10, 20}, {12, 19}, {16, 19}, {18, 20}, {16, 21}, {12, 23}});                     // gaps 4 and 2 of 8
    put(42, {{40, 20}, {44, 20}, {46, 20}, {50, 20}, {46, 20}, {44, 20}});                     // shut
    add(set, face, grey(64, 51));
    const Coverage coverage = coverage_of(set);
    EXPECT_NEAR(coverage.values[kYaw].at(0), 25, 1e-9);
    EXPECT_NEAR(coverage.values[kPitch].at(0), -12, 1e-9);
    EXPECT_NEAR(coverage.values[kMouth].at(0), 100 * 11 / 60.0, 1e-9);
    EXPECT_NEAR(coverage.values[kEyes].at(0), (100 * 6 / 16.0 + 0) / 2, 1e-9);
    EXPECT_NEAR(coverage.values[kLight].at(0), 20, 0.01) << "51 of 255";
    EXPECT_EQ(coverage.values[kLightFromRight].at(0), 0);
    EXPECT_TRUE(coverage.unreadable.empty());
}

TEST(Coverage, LightIsThatUnderTheHull)
{
    const Folder folder;
    Faceset set = {.folder = folder.path(), .side = 96};
    const FaceRecord face = face_of(set);
    const Point nose = face.in_face[29];
    Image side = grey(96, 255), above = side; // white, but where the face is
    for (std::int64_t y = 0; y < 96; ++y)
        for (std::int64_t x = 0; x < 96; ++x) {
            const double distance = std::hypot(double(x) - nose.x, double(y) - nose.y);
            if (distance > 45) continue;
            std::fill_n(side.at(y, x), 3, std::uint8_t(double(x) > nose.x ? 150 : 50));
            std::fill_n(above.at(y, x), 3, std::uint8_t(double(y) < nose.y ? 40 : 160));
        }
    add(set, face, side);
    add(set, face, above);
    const Coverage coverage = coverage_of(set);
    EXPECT_NEAR(coverage.values[kLightFromRight].at(0), 50, 1e-9) << "100 (150 - 50) / (150 + 50)";
    EXPECT_NEAR(coverage.values[kLightFromAbove].at(0), 0, 2) << "either half of a face has as much above as below";
    EXPECT_NEAR(coverage.values[kLight].at(0), 100 * 100 / 255.0, 1.5);
    EXPECT_NEAR(coverage.values[kLightFromAbove].at(1), -60, 1e-9) << "100 (40 - 160) / (40 + 160)";
    EXPECT_NEAR(coverage.values[kLightFromRight].at(1), 0, 2);
}

TEST(Coverage, PicturesThatCannotBeReadOrShowNoFaceHaveNoLight)
{
    const Folder folder;
    Faceset set = {.folder = folder.path(), .side = 64};
    add(set, face_of(set), grey(64, 100));
    add(set, face_of(set), grey(64, 100));
    FaceRecord outside = face_of(set);
    outside.in_face = test::turned(0, 1, 500, 0)(outside.in_face);
    add(set, outside, grey(64, 100));
    test::write_text(folder / "face_1.png", "not what it was");
    const Coverage coverage = coverage_of(set);
    EXPECT_EQ(coverage.values[kYaw].size(), 3u);
    EXPECT_EQ(coverage.values[kLight].size(), 1u);
    ASSERT_EQ(coverage.unreadable.size(), 1u);
    EXPECT_NE(coverage.unreadable[0].find("face_1.png"), std::string::npos);
}

TEST(Coverage, LightIsTakenFromTwoHundredPicturesAtMost)
{
    const Folder folder;
    Faceset set = {.folder = folder.path(), .side = 16};
    add(set, face_of(set), grey(16, 100));
    set.faces.resize(1000, set.faces[0]); // all of one picture
    const Coverage coverage = coverage_of(set);
    EXPECT_EQ(coverage.values[kYaw].size(), 1000u);
    EXPECT_EQ(coverage.values[kLight].size(), 200u);
    EXPECT_TRUE(coverage_of({}).values[kLight].empty());
}

TEST(Coverage, BinsBeginAtTheirLowerEdgeAndTheOutermostTakeTheRest)
{
    const Trait trait = {"", -20, 10, 4};
    const std::vector<std::int64_t> want = {2, 2, 1, 3}; // below -10, below 0, below 10, the rest
    EXPECT_EQ(histogram(trait, {-500, -10.1, -10, -0.1, 9.9, 10, 25, 500}), want);
}

TEST(Coverage, AMirroredFaceLooksTheOtherWay)
{
    Coverage coverage;
    for (std::size_t trait = 0; trait < kTraits.size(); ++trait) coverage.values[trait] = {5, -2};
    const Coverage both = with_mirrored(coverage);
    for (const std::size_t trait : {kYaw, kLightFromRight})
        EXPECT_EQ(both.values[trait], (std::vector<double>{5, -2, -5, 2}));
    for (const std::size_t trait : {kPitch, kMouth, kEyes, kLight, kLightFromAbove})
        EXPECT_EQ(both.values[trait], (std::vector<double>{5, -2, 5, -2}));
}

TEST(Coverage, WhatLiesFarFromEveryFaceOfTheSource)
{
    const std::vector<double> src = {28, -5, 0, 10};
    const Uncovered some = uncovered(src, {-39, -20, -15, -14, 5, 38, 38.5, 19}, 10);
    EXPECT_EQ(some.share, 3.0 / 8) << "-39, -20 and 38.5; -15 and 38 are just near enough";
    EXPECT_EQ(some.low, -39);
    EXPECT_EQ(some.high, 38.5);
    EXPECT_EQ(uncovered({-30, 30}, {0}, 10).share, 1) << "a gap in the middle";
    EXPECT_EQ(uncovered(src, src, 0).share, 0);
    EXPECT_EQ(uncovered(src, {}, 10).share, 0);
}

TEST(Coverage, SidesInTheFootageAndTheResolutionThatFits)
{
    Faceset set;
    for (const double unit : {300.0, 100.0, 110.0}) set.faces.push_back(face_of(set, unit));
    EXPECT_NEAR(side_in_footage(set, FaceType::half), 110, 1e-6) << "the one in the middle";
    EXPECT_NEAR(side_in_footage(set, FaceType::whole_face), 110 * (1 + 0.8 * std::sqrt(2.0)), 1e-6);
    EXPECT_EQ(fitting_resolution(430), 256); // 258
    EXPECT_EQ(fitting_resolution(215), 128); // 129
    EXPECT_EQ(fitting_resolution(10), 64);
    EXPECT_EQ(fitting_resolution(4000), 640);
}

} // namespace
} // namespace bifrons::data
