// tests/data/face_search_test.cpp - faces that do not stand upright, and what is no face.
#include "data/extract/extract.h"
#include "data/extract/plausible.h"
#include "data/warp.h"
#include "kernels/base/error.h"
#include "tests/data/faces.h"
#include "tests/data/folder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

namespace bifrons::data {
namespace {

namespace fs = std::filesystem;

/// One for all: it takes a second to load.
std::shared_ptr<const LandmarkModel> landmark_model()
{
    static const auto model = make_landmark_model({});
    return model;
}

TEST(Plausible, EachBoundIsNamedOnItsOwn)
{
    BIFRONS_NEEDS_LANDMARKS();
    const fs::path clip = test::assets() / "faces" / "grid" / "sbia1a.mpg";
    BIFRONS_NEEDS_ASSET(clip);
    Frame frame;
    ASSERT_TRUE(open_frames(clip)->next(frame));
    const Image grey = to_grey(frame.image);
    const LandmarkModel& model = *landmark_model();
    const Detection found = make_hog_detector()->detect(frame.image).at(0);
    const Landmarks points = model.find(grey, found).points;
    EXPECT_EQ(implausibility(points, found, grey, model), "");

    const double w = found.rect.width(), h = found.rect.height();
    Detection beside = found;
    beside.rect = {found.rect.left + w / 2, found.rect.top + h / 2, found.rect.right + w / 2,
                   found.rect.bottom + h / 2};
    EXPECT_EQ(implausibility(points, beside, grey, model), "landmarks beside the detection");
    beside.rect = {found.rect.left - w / 2, found.rect.top - h / 2, found.rect.right + w / 2,
                   found.rect.bottom + h / 2};
    EXPECT_EQ(implausibility(points, beside, grey, model), "landmarks beside the detection") << "of another size";

    Image dark = grey, black = grey; // a face in the dark is one
    for (std::uint8_t& v : dark.pixels) v = std::uint8_t(16 + v / 8);
    std::fill(black.pixels.begin(), black.pixels.end(), std::uint8_t(16));
    EXPECT_EQ(implausibility(model.find(dark, found).points, found, dark, model), "");
    EXPECT_FALSE(is_flat(dark, found.rect));
    EXPECT_TRUE(is_flat(black, found.rect));
    EXPECT_TRUE(is_flat(grey, {-90, -90, -10, -10})) << "outside";

    Image noise = grey;
    std::mt19937 random(1);
    for (std::uint8_t& v : noise.pixels) v = std::uint8_t(random() % 256);
    EXPECT_EQ(implausibility(model.find(noise, found).points, found, noise, model),
              "landmarks that are not found again");
}

TEST(Plausible, QuartersOfALean)
{
    for (int degrees = -180; degrees < 180; degrees += 10) {
        const Landmarks leaning =
            test::turned(degrees * std::numbers::pi / 180, 1, 0, 0)(test::mean_landmarks(100, 0, 0));
        EXPECT_EQ(quarters_of(leaning), (degrees + 360 + 45) / 90 % 4) << degrees;
    }
}

/// A detector that finds one box wherever it is told to in an upright frame, and counts how often it is asked.
class OneBox : public Detector {
  public:
    OneBox(Image upright, Rect box, int& asked) : upright_(std::move(upright)), box_(box), asked_(asked) {}
    std::vector<Detection> detect(const Image& frame) override
    {
        ++asked_;
        if (frame.pixels != upright_.pixels || frame.W != upright_.W) return {};
        return {{.rect = box_, .score = 1}};
    }

  private:
    Image upright_;
    Rect box_;
    int& asked_;
};

/// By quarters, clockwise.
Image lean(const Image& image, int quarters)
{
    if (quarters == 0) return image;
    const Image once = lean(image, quarters - 1);
    Image out(once.W, once.H, once.C);
    for (std::int64_t y = 0; y < once.H; ++y)
        for (std::int64_t x = 0; x < once.W; ++x) std::copy_n(once.at(y, x), once.C, out.at(x, once.H - 1 - y));
    return out;
}

Point lean(Point p, const Image& upright, int quarters)
{
    if (quarters == 0) return p;
    const Point once = lean(p, upright, quarters - 1);
    return {double(quarters % 2 ? upright.H : upright.W) - 1 - once.y, once.x};
}

TEST(FaceSearch, ATurnedFrameGivesTheSameFaceElsewhere)
{
    BIFRONS_NEEDS_LANDMARKS();
    const fs::path clip = test::assets() / "faces" / "grid" / "brbk7n.mpg";
    BIFRONS_NEEDS_ASSET(clip);
    Frame frame;
    ASSERT_TRUE(open_frames(clip)->next(frame));
    const auto landmarks = landmark_model();
    const Detection found = make_hog_detector()->detect(frame.image).at(0);
    const Landmarks want = landmarks->find(to_grey(frame.image), found).points;
    constexpr std::array kSearches = {1, 3, 2, 4};
    for (int quarters = 0; quarters < 4; ++quarters) {
        const Image turned = lean(frame.image, quarters);
        int asked = 0;
        const auto search = [&](bool rotate) {
            FaceSearch one(std::make_unique<OneBox>(frame.image, found.rect, asked), landmarks, 0.5, rotate);
            return one(turned, {});
        };
        const SearchResult result = search(true);
        EXPECT_EQ(asked, kSearches[std::size_t(quarters)]) << "180 degrees come before 90";
        ASSERT_EQ(result.faces.size(), 1u) << quarters;
        for (std::size_t i = 0; i < 68; ++i) {
            const Point p = lean(want[i], frame.image, quarters);
            EXPECT_NEAR(result.faces[0].points[i].x, p.x, 1e-9) << quarters;
            EXPECT_NEAR(result.faces[0].points[i].y, p.y, 1e-9) << quarters;
        }
        const Rect& box = result.faces[0].detection.rect;
        EXPECT_NEAR(box.area(), found.rect.area(), 1e-6);
        const Point corner = lean({found.rect.left, found.rect.top}, frame.image, quarters);
        EXPECT_TRUE(std::abs(box.left - corner.x) < 1e-9 || std::abs(box.right - corner.x) < 1e-9);
        EXPECT_EQ(quarters_of(result.faces[0].points), quarters);
        asked = 0;
        EXPECT_EQ(search(false).faces.size(), quarters == 0 ? 1u : 0u);
        EXPECT_EQ(asked, 1);

        asked = 0;
        FaceSearch hinted(std::make_unique<OneBox>(frame.image, found.rect, asked), landmarks, 0.5, true);
        EXPECT_EQ(hinted(turned, {.quarters = quarters}).faces.size(), 1u);
        EXPECT_EQ(asked, 1) << "first as the last face leant";
    }
}

TEST(FaceSearch, FramesOfEveryDetectorMayBeTurned)
{
    BIFRONS_NEEDS_LANDMARKS();
    const fs::path clip = test::assets() / "faces" / "grid" / "pwij3p.mpg";
    const fs::path yunet = test::assets() / "models" / yunet_file();
    BIFRONS_NEEDS_ASSET(clip);
    std::vector<Frame> frames(1);
    ASSERT_TRUE(open_frames(clip)->next(frames[0]));
    const Image upright = frames[0].image;
    const auto landmarks = landmark_model();
    const Landmarks want = FaceFinder({}, landmarks).find(frames)[0].faces.at(0).points;
    std::vector<DetectorOptions> detectors = {{}};
    if (fs::exists(yunet)) detectors.push_back({.kind = DetectorKind::yunet, .model = yunet});
    for (const DetectorOptions& detector : detectors)
        for (const int quarters : {1, 2}) {
            frames[0].image = lean(upright, quarters);
            const auto found = FaceFinder({.detector = detector, .threads = 1}, landmarks).find(frames)[0];
            ASSERT_EQ(found.faces.size(), 1u) << name_of(detector.kind) << " " << quarters;
            double error = 0;
            for (std::size_t i = 0; i < 68; ++i) {
                const Point p = lean(want[i], upright, quarters), q = found.faces[0].points[i];
                error += std::hypot(p.x - q.x, p.y - q.y) / 68;
            }
            EXPECT_LT(error / std::hypot(want[45].x - want[36].x, want[45].y - want[36].y), 0.05)
                << name_of(detector.kind) << " " << quarters;
        }
}

TEST(FaceSearch, AHighScoreDoesNotMakeAFaceUpsideDownAnUprightOne)
{
    BIFRONS_NEEDS_LANDMARKS();
    const fs::path clip = test::assets() / "faces" / "clips" / "henry_viii_pan.mp4",
                   yunet = test::assets() / "models" / yunet_file();
    BIFRONS_NEEDS_ASSET(clip);
    BIFRONS_NEEDS_ASSET(yunet);
    const auto source = open_frames(clip);
    Frame frame;
    for (int i = 0; i <= 24; ++i) ASSERT_TRUE(source->next(frame));
    const Image down = lean(frame.image, 2);
    const DetectorOptions options = {.kind = DetectorKind::yunet, .model = yunet};
    const std::vector<Detection> seen = make_detector(options)->detect(down);
    ASSERT_FALSE(seen.empty());
    const Fit fit = landmark_model()->find(to_grey(down), seen[0]);
    ASSERT_GT(seen[0].score, 0.9);
    ASSERT_EQ(quarters_of(fit.points), 0) << "or there is nothing to be misled by";
    ASSERT_EQ(implausibility(fit.points, seen[0], to_grey(down), *landmark_model()), "");

    FaceSearch search(make_detector(options), landmark_model(), 0.6, true);
    EXPECT_EQ(quarters_of(search(down, {}).faces.at(0).points), 2);
}

TEST(FaceSearch, AGroupOnItsSideIsNotGivenUpForOneDoubtfulFace)
{
    BIFRONS_NEEDS_LANDMARKS();
    const fs::path still = test::assets() / "faces" / "stills" / "2008_002079.jpg",
                   yunet = test::assets() / "models" / yunet_file();
    BIFRONS_NEEDS_ASSET(still);
    BIFRONS_NEEDS_ASSET(yunet);
    const Image upright = load_image(still);
    for (const int quarters : {0, 1, 3}) {
        FaceSearch search(make_detector({.kind = DetectorKind::yunet, .model = yunet}), landmark_model(), 0.6, true);
        int lean_alike = 0;
        for (const FrameFace& face : search(lean(upright, quarters), {}).faces)
            lean_alike += face.detection.score >= 0.6 && quarters_of(face.points) == quarters;
        EXPECT_EQ(lean_alike, 6) << quarters;
    }
}

TEST(FaceSearch, WhatIsNoFaceIsDroppedWithItsReason)
{
    BIFRONS_NEEDS_LANDMARKS();
    const auto landmarks = landmark_model();
    const Image black(120, 160, 3);
    int asked = 0;
    FaceSearch search(std::make_unique<OneBox>(black, Rect{40, 20, 120, 100}, asked), landmarks, 0.5, true);
    const SearchResult result = search(black, {});
    EXPECT_EQ(asked, 4);
    EXPECT_TRUE(result.faces.empty());
    ASSERT_EQ(result.refused.size(), 1u);
    EXPECT_EQ(result.refused[0].reason, "flat area");
    EXPECT_EQ(result.refused[0].rect, (Rect{40, 20, 120, 100}));
    EXPECT_EQ(result.refused[0].score, 1);
}

} // namespace
} // namespace bifrons::data
