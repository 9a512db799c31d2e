// tests/data/alignment_test.cpp - where a face picture lies in a frame, and which part of it is face.
#include "data/alignment.h"

#include "data/hull.h"
#include "kernels/base/error.h"
#include "tests/data/faces.h"
#include "tests/data/folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace bifrons::data {
namespace {

using test::mean_landmarks;
using test::turned;

void expect_near(Point got, Point want, double tolerance)
{
    EXPECT_NEAR(got.x, want.x, tolerance);
    EXPECT_NEAR(got.y, want.y, tolerance);
}

TEST(Geometry, SimilarityIsFoundExactlyAndTheInverseUndoesIt)
{
    const Landmarks points = mean_landmarks(90, 12, 34);
    for (const Affine& map : {turned(0.5, 2.5, 10, -20), turned(-2.9, 0.3, 400, 7), turned(0, 1, 0, 0)}) {
        const Landmarks moved = map(points);
        const Affine found = similarity(points, moved);
        for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(found.m[i], map.m[i], 1e-9 * 1000);
        expect_near(map.inverse()(moved[8]), points[8], 1e-9);
        expect_near(map.after(map.inverse())(points[3]), points[3], 1e-9);
    }
    EXPECT_NEAR(turned(1, 3, 5, 6).scale(), 3, 1e-12);
}

TEST(Geometry, SimilarityMinimisesTheSquaredError)
{
    const std::vector<Point> from = {{0, 0}, {4, 1}, {2, 7}, {-3, 2}}, to = {{1, 1}, {9, 4}, {2, 16}, {-6, 3}};
    const auto error = [&](const Affine& map) {
        double sum = 0;
        for (std::size_t i = 0; i < from.size(); ++i) {
            const Point p = map(from[i]);
            sum += (p.x - to[i].x) * (p.x - to[i].x) + (p.y - to[i].y) * (p.y - to[i].y);
        }
        return sum;
    };
    const Affine best = similarity(from, to);
    for (const Affine& nudge : {turned(1e-3, 1, 0, 0), turned(-1e-3, 1, 0, 0), turned(0, 1.001, 0, 0),
                                turned(0, 0.999, 0, 0), turned(0, 1, 1e-3, 0), turned(0, 1, 0, -1e-3)})
        EXPECT_LT(error(best), error(best.after(nudge)));
}

TEST(Geometry, OverlapOfBoxes)
{
    EXPECT_DOUBLE_EQ(overlap({0, 0, 4, 2}, {0, 0, 4, 2}), 1);
    EXPECT_DOUBLE_EQ(overlap({0, 0, 4, 2}, {2, 0, 6, 2}), 4.0 / 12);
    EXPECT_DOUBLE_EQ(overlap({0, 0, 4, 2}, {5, 5, 6, 6}), 0);
}

// Written out from the table in alignment.h: nose tip (0.490127, 0.515625) in a picture of 200 px.
TEST(Alignment, TheNoseTipLandsWhereTheTableSays)
{
    struct Row {
        FaceType type;
        double side, centre_y;
    };
    for (const Row& row :
         {Row{FaceType::half, 1, 0.5}, Row{FaceType::midfull, 1.190919, 0.5}, Row{FaceType::full, 1.596621, 0.5},
          Row{FaceType::whole_face, 2.131371, 0.43}, Row{FaceType::head, 2.979899, 0}})
        for (const double angle : {0.0, 0.6, -2.0}) {
            const Affine move = turned(angle, 1.7, 120, 80);
            const Landmarks in_frame = move(mean_landmarks(75, 30, 20));
            const Point nose = face_from_frame(in_frame, row.type, 200)(in_frame[30]);
            expect_near(
                nose,
                {100 - 0.5 + 200 * (0.490127 - 0.5) / row.side, 100 - 0.5 + 200 * (0.515625 - row.centre_y) / row.side},
                1e-3);
        }
}

TEST(Alignment, AHeadTurnedSidewaysIsCentredOnTheHead)
{
    Landmarks points = mean_landmarks(100, 50, 60);
    for (std::size_t i = 0; i < 3; ++i) points[16 - i].x += 40; // yaw = 0.4: the nose is nearer to the left edge
    const double straight = face_from_frame(mean_landmarks(100, 50, 60), FaceType::head, 100)(points[30]).x;
    const double shifted = face_from_frame(points, FaceType::head, 100)(points[30]).x;
    EXPECT_NEAR(shifted - straight, -100 / 2.979899 * 0.4 * std::tanh(0.8) / 2, 1e-3);
}

TEST(Alignment, TheSameFaceAtTwiceTheSideIsTheSamePictureDoubled)
{
    const Landmarks p = turned(0.3, 1, 40, 50)(mean_landmarks(60, 10, 10));
    for (const FaceType type : {FaceType::half, FaceType::full, FaceType::whole_face, FaceType::head}) {
        const Point small = face_from_frame(p, type, 64)(p[5]), large = face_from_frame(p, type, 128)(p[5]);
        expect_near({(small.x + 0.5) * 2 - 0.5, (small.y + 0.5) * 2 - 0.5}, large, 1e-9);
    }
}

TEST(Alignment, TypesHaveNames)
{
    for (const FaceType type :
         {FaceType::half, FaceType::midfull, FaceType::full, FaceType::whole_face, FaceType::head})
        EXPECT_EQ(face_type_of(name_of(type)), type);
    BIFRONS_EXPECT_ERROR(face_type_of("halve"), usage, "half, midfull, full, whole_face or head");
}

/// The generic head of pose_of, turned and seen from afar.
Landmarks head_seen(double pitch, double yaw, double roll)
{
    const double head[6][4] = {{30, 0, 0, 0},        {8, 0, -330, -65},      {36, -225, 170, -135},
                               {45, 225, 170, -135}, {48, -150, -150, -125}, {54, 150, -150, -125}};
    Landmarks points = {};
    for (const auto& p : head) {
        const double x = p[1], y = p[2] * std::cos(pitch) + p[3] * std::sin(pitch);
        const double z = p[3] * std::cos(pitch) - p[2] * std::sin(pitch);
        const double u = x * std::cos(yaw) + z * std::sin(yaw);
        points[std::size_t(p[0])] = {300 + 0.4 * (u * std::cos(roll) + y * std::sin(roll)),
                                     200 - 0.4 * (y * std::cos(roll) - u * std::sin(roll))};
    }
    return points;
}

TEST(Alignment, PoseOfAnExactHead)
{
    for (const double angle : {-0.4, 0.0, 0.3}) {
        EXPECT_NEAR(pose_of(head_seen(angle, 0, 0)).pitch, angle, 1e-6);
        EXPECT_NEAR(pose_of(head_seen(0, angle, 0)).yaw, angle, 1e-6);
        EXPECT_NEAR(pose_of(head_seen(0, 0, angle)).roll, angle, 1e-6);
    }
}

TEST(Hull, AreaOfASquareAndTheLiftOfTheBrows)
{
    Landmarks p;
    const Point corners[4] = {{10, 20}, {50, 20}, {50, 40}, {10, 40}};
    for (std::size_t i = 0; i < 68; ++i) p[i] = corners[i % 4];
    for (const std::size_t i : {0, 16}) p[i] = {30, 30};
    for (std::size_t i = 17; i < 48; ++i) p[i] = {30, 30};
    const Image mask = hull_mask(p, 60, 64);
    const double area = std::accumulate(mask.pixels.begin(), mask.pixels.end(), 0.0) / 255;
    // Border pixels count 128/255 instead of 1/2 (120 px), corners 1/2 instead of 1/4: 0.24 + 1 too many.
    EXPECT_NEAR(area, 40 * 20, 1.5);
    EXPECT_EQ(*mask.at(30, 30), 255);
    EXPECT_EQ(*mask.at(18, 30), 0);
    EXPECT_EQ(*mask.at(30, 8), 0);
    p[20] = {30, 14}; // 16 above the eye: lifted by 8 more
    EXPECT_EQ(*hull_mask(p, 60, 64).at(8, 30), 255);
    EXPECT_EQ(*hull_mask(p, 60, 64).at(4, 30), 0);
}

TEST(Hull, IsConvexAndHoldsEveryLandmark)
{
    const Landmarks p = mean_landmarks(60, 40, 50);
    const std::vector<Point> hull = face_hull(p);
    for (std::size_t i = 0; i < hull.size(); ++i) {
        const Point &a = hull[i], &b = hull[(i + 1) % hull.size()];
        for (const Point& q : p) EXPECT_GE((b.x - a.x) * (q.y - a.y) - (b.y - a.y) * (q.x - a.x), -1e-9);
    }
}

TEST(EyesMouth, IsOnEyesAndMouthAndNowhereElse)
{
    Landmarks p = mean_landmarks(80, 24, 24); // of a face square of 128
    const Point mouth = {(p[48].x + p[54].x) / 2, p[48].y};
    for (std::size_t i = 0; i < 8; ++i) { // the inner lips, a flat ellipse
        const double angle = 3.14159265358979 * double(i) / 4;
        p[60 + i] = {mouth.x - 10 * std::cos(angle), mouth.y - 2 * std::sin(angle)};
    }
    const Image mask = eyes_mouth_mask(p, 128, 130, 128);
    EXPECT_EQ(*std::max_element(mask.pixels.begin(), mask.pixels.end()), 255);
    const auto at = [&](double x, double y) { return *mask.at(std::lround(y), std::lround(x)); };
    const auto middle = [&](std::size_t first, std::size_t last) {
        Point sum;
        for (std::size_t i = first; i <= last; ++i) sum = {sum.x + p[i].x, sum.y + p[i].y};
        return Point{sum.x / double(last - first + 1), sum.y / double(last - first + 1)};
    };
    for (const Point& q : {middle(36, 41), middle(42, 47), middle(60, 67)}) EXPECT_GT(at(q.x, q.y), 240);
    for (const std::size_t i : {8, 17, 21, 26, 27, 30, 33, 48, 54}) EXPECT_EQ(at(p[i].x, p[i].y), 0) << i;
    EXPECT_EQ(eyes_mouth_mask(turned(0, 1, 500, 0)(p), 128, 64, 64).pixels, Image(64, 64, 1).pixels) << "out of sight";
}

TEST(EyesMouth, AClosedEyeIsABandThatIsGrownAndBlurred)
{
    Landmarks p = {};
    for (Point& q : p) q = {-500, -500};
    for (std::size_t i = 36; i < 42; ++i) p[i] = {60 + 25 * double(i % 3), 100}; // all on a line
    const std::int64_t side = 512;
    const Image mask = eyes_mouth_mask(p, side, 200, 200);
    // Across the middle of the band |y| <= r = side/64, what a Gaussian of OpenCV's sigma for a window of side/16 = 32
    // makes of it. The band is pixels: its edge is a ramp one pixel wide.
    const double r = 8, sigma = 0.3 * (15.5 - 1) + 0.8;
    const auto want = [&](double y) {
        return std::erf((y + r) / sigma / std::sqrt(2)) - std::erf((y - r) / sigma / std::sqrt(2));
    };
    for (int y = -20; y <= 20; ++y) // cut at 16 px = 3.1 sigma, and the ramp: below 1/100
        EXPECT_NEAR(*mask.at(100 + y, 85), 255 * want(y) / want(0), 3) << y;
    EXPECT_EQ(*mask.at(100, 200 - 1), 0);
    for (Point& q : p) q = {50, 50}; // all in one place
    EXPECT_EQ(*eyes_mouth_mask(p, side, 200, 200).at(50, 50), 255);
}

} // namespace
} // namespace bifrons::data
