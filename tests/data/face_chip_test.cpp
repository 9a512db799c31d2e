// tests/data/face_chip_test.cpp - the chip lies where dlib's lies.
#include "data/face_chip.h"

#include "tests/data/faces.h"

#include <gtest/gtest.h>

#if BIFRONS_HAS_MEDIA
#include <dlib/image_transforms.h>
#endif

namespace bifrons::data {
namespace {

using test::mean_landmarks;
using test::turned;

TEST(FaceChip, AMeanFaceFillsItsMiddle)
{
    // The unit square of the mean face is the middle 100 px of 150: 25 px of padding, minus half a pixel. 300 px from
    // brow end to brow end are shrunk to a third.
    Landmarks face = mean_landmarks(300, 40, 70);
    const double mouth[10][2] = {{.340985, .745405}, {.428858, .727388}, {.490127, .742578}, {.551395, .727388},
                                 {.639268, .745405}, {.290379, .784792}, {.428096, .778746}, {.490127, .785343},
                                 {.552157, .778746}, {.689874, .784792}};
    for (std::size_t i = 0; i < 10; ++i)
        face[i < 5 ? 49 + i : 55 + i] = {40 + 300 * mouth[i][0], 70 + 300 * mouth[i][1]};
    for (const Affine& move : {turned(0, 1, 0, 0), turned(0.7, 1.3, -30, 12)}) {
        const Affine map = chip_from_frame(move(face)).after(move);
        EXPECT_NEAR(map(Point{40, 70}).x, 24.5, 1e-3);
        EXPECT_NEAR(map(Point{40, 70}).y, 24.5, 1e-3);
        EXPECT_NEAR(map(Point{340, 370}).x, 124.5, 1e-3);
        EXPECT_NEAR(map(Point{340, 370}).y, 124.5, 1e-3);
        EXPECT_NEAR(map.scale(), 1.0 / 3, 1e-5);
    }
}

TEST(FaceChip, BrowsJawAndLowerLipDoNotMoveIt)
{
    Landmarks face = mean_landmarks(100, 20, 30);
    const Affine before = chip_from_frame(face);
    for (const std::size_t i : {0, 8, 17, 21, 26, 55, 59, 65, 67}) face[i].y += 20;
    EXPECT_EQ(chip_from_frame(face).m, before.m);
    face[60].y += 20;
    EXPECT_NE(chip_from_frame(face).m, before.m);
}

#if BIFRONS_HAS_MEDIA
TEST(FaceChip, AgreesWithDlib)
{
    // Whole numbers, as dlib has them. A turned face, twice as large as its chip.
    Landmarks face = turned(-0.3, 2, 60, 130)(mean_landmarks(100, 10, 20));
    std::vector<dlib::point> parts;
    for (Point& p : face) {
        parts.emplace_back(std::lround(p.x), std::lround(p.y));
        p = {double(parts.back().x()), double(parts.back().y())};
    }
    const dlib::chip_details want =
        dlib::get_face_chip_details(dlib::full_object_detection(dlib::rectangle(0, 0, 9, 9), parts), kChipSide, 0.25);
    const Affine frame_from_chip = chip_from_frame(face).inverse();
    EXPECT_NEAR(std::atan2(frame_from_chip.m[3], frame_from_chip.m[0]), want.angle, 1e-9);
    const Point middle = frame_from_chip(Point{74.5, 74.5});
    EXPECT_NEAR(middle.x, dlib::dcenter(want.rect).x(), 1e-9);
    EXPECT_NEAR(middle.y, dlib::dcenter(want.rect).y(), 1e-9);
    EXPECT_NEAR(frame_from_chip.scale() * kChipSide, want.rect.width(), 1e-9);
}
#endif

} // namespace
} // namespace bifrons::data
