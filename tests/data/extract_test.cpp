// tests/data/extract_test.cpp - extraction: selection of faces, resuming, bad places, and real clips and stills.
#include "data/extract/extract.h"
#include "data/extract/footage.h"

#include "data/extract/footage.h"
#include "data/fingerprint.h"
#include "data/warp.h"
#include "engine/folder_lock.h"
#include "kernels/base/error.h"
#include "tests/data/folder.h"
#include "tests/support/models.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <regex>

namespace bifrons::data {
namespace {

using test::Folder;
namespace fs = std::filesystem;

Detection box(double left, double top, double size, double score = 1)
{
    return {.rect = {left, top, left + size, top + size}, .score = score};
}

TEST(Tracker, FollowsOnePersonAndFallsBackToTheLargest)
{
    Tracker track(Faces::track, 0.5);
    EXPECT_TRUE(track.select({}).empty());
    EXPECT_EQ(track.select({box(0, 0, 10), box(100, 0, 40)})[0].rect.left, 100); // the largest at first
    EXPECT_EQ(track.select({box(0, 0, 90), box(105, 2, 38)})[0].rect.left, 105); // followed, though another is larger
    EXPECT_TRUE(track.select({}).empty());
    EXPECT_EQ(track.select({box(0, 0, 90), box(110, 2, 38)})[0].rect.left, 110); // still known after a gap
    EXPECT_EQ(track.select({box(300, 0, 50), box(0, 0, 20)})[0].rect.left, 300); // lost: the largest
    Tracker largest(Faces::largest, 0.5), all(Faces::all, 0.5), known(Faces::track, 0.5);
    known.resume({0, 0, 10, 10}, 3);
    EXPECT_EQ(largest.select({box(0, 0, 10), box(50, 0, 20)}).size(), 1u);
    EXPECT_EQ(largest.select({box(0, 0, 30), box(50, 0, 20)})[0].rect.left, 0);
    EXPECT_EQ(all.select({box(0, 0, 10), box(50, 0, 20)}).size(), 2u);
    EXPECT_EQ(known.select({box(1, 1, 10), box(50, 0, 20)})[0].rect.left, 1);
    for (const Faces faces : {Faces::largest, Faces::all, Faces::track}) EXPECT_EQ(faces_of(name_of(faces)), faces);
    BIFRONS_EXPECT_ERROR(faces_of("none"), usage, "largest, all or track");
}

TEST(Detector, SearchesScalesUntilOneIsStrong)
{
    const auto scored = [](double score) { return Detection{.score = score}; };
    const std::map<double, std::vector<Detection>> at = {
        {1, {scored(0.4), scored(0.3)}}, {2, {}}, {3, {scored(0.5)}}, {4, {scored(0.9), scored(0.4)}}, {5, {}}};
    std::vector<double> asked;
    const auto search = [&](double strong, const std::vector<double>& scales) {
        asked.clear();
        const auto found = first_strong(strong, scales, [&](double scale) {
            asked.push_back(scale);
            return at.at(scale);
        });
        std::vector<double> scores;
        for (const Detection& d : found) scores.push_back(d.score);
        return scores;
    };
    EXPECT_EQ(search(0.6, {1, 2, 4, 3}), (std::vector{0.9, 0.4}));
    EXPECT_EQ(asked, (std::vector<double>{1, 2, 4})) << "stops where one is strong";
    EXPECT_EQ(search(0.6, {1, 3, 2}), (std::vector{0.5})) << "none is: the best";
    EXPECT_EQ(search(0.6, {1, 2}), (std::vector{0.4, 0.3}));
    EXPECT_EQ(search(0.6, {2, 5}), (std::vector<double>{}));
}

TEST(Detector, ReportsWeakOnesWhichTheFinderDropsAndCounts)
{
    BIFRONS_NEEDS_LANDMARKS();
    std::vector<Frame> frames;
    for (const char* name : {"2007_007763.jpg", "2008_001009.jpg", "2008_002079.jpg", "2009_004587.jpg"}) {
        const fs::path still = test::assets() / "faces" / "stills" / name;
        BIFRONS_NEEDS_ASSET(still);
        frames.push_back({std::int64_t(frames.size()), name, load_image(still)});
    }
    for (const DetectorKind kind : {DetectorKind::hog, DetectorKind::haar}) {
        if (kind == DetectorKind::haar && !fs::exists("/usr/share/opencv4/haarcascades")) continue;
        const ScoreRange range = default_scores(kind);
        const auto detector = make_detector({.kind = kind});
        FaceFinder by_default({.detector = {.kind = kind}, .faces = Faces::all, .rotate = false, .threads = 1});
        const auto found = by_default.find(frames);
        std::ptrdiff_t weak = 0;
        double best = 0;
        for (std::size_t i = 0; i < frames.size(); ++i) {
            const std::vector<Detection> all = detector->detect(frames[i].image);
            const auto falls = [](const Detection& a, const Detection& b) { return a.score > b.score; };
            EXPECT_TRUE(std::is_sorted(all.begin(), all.end(), falls)) << name_of(kind) << " " << i;
            const auto strong = std::count_if(all.begin(), all.end(), [&](auto& d) { return d.score >= range.strong; });
            EXPECT_EQ(std::ptrdiff_t(found[i].faces.size()) + found[i].implausible, strong)
                << name_of(kind) << " " << i;
            EXPECT_EQ(found[i].low_score, std::ptrdiff_t(all.size()) - strong) << name_of(kind) << " " << i;
            for (const Detection& d : all) EXPECT_GE(d.score, range.weak) << name_of(kind) << " " << i;
            weak += found[i].low_score;
            if (!all.empty()) best = std::max(best, all[0].score);
        }
        EXPECT_GT(weak, 0) << name_of(kind);
        std::size_t kept = 0;
        FaceFinder strict(
            {.detector = {.kind = kind}, .min_score = best, .faces = Faces::all, .rotate = false, .threads = 1});
        for (const auto& of_frame : strict.find(frames)) kept += of_frame.faces.size();
        EXPECT_EQ(kept, 1u) << name_of(kind) << ": min_score itself is enough, and nothing less";
    }
}

TEST(Tracker, AWeakDetectionContinuesAFaceAndBeginsNone)
{
    Tracker track(Faces::track, 0.5);
    EXPECT_TRUE(track.select({box(0, 0, 10, 0.1)}).empty()) << "begins none";
    EXPECT_EQ(track.select({box(0, 0, 10, 0.6)}).size(), 1u);
    EXPECT_EQ(track.select({box(1, 0, 10, 0.1)}).size(), 1u);
    EXPECT_EQ(track.select({box(2, 0, 10, 0.1)}).size(), 1u) << "nor does its weakness add up";
    EXPECT_TRUE(track.select({box(50, 0, 10, 0.1)}).empty()) << "elsewhere";
    EXPECT_EQ(track.select({box(2, 0, 10, 0.1)}).size(), 1u) << "after a gap of one frame";
    for (int gap = 0; gap < 12; ++gap) EXPECT_TRUE(track.select({}).empty());
    EXPECT_TRUE(track.select({box(2, 0, 10, 0.1)}).empty()) << "after a longer one";
    EXPECT_EQ(track.select({box(2, 0, 10, 0.5)}).size(), 1u);

    Tracker all(Faces::all, 0.5);
    EXPECT_EQ(all.select({box(0, 0, 10), box(50, 0, 10), box(100, 0, 10, 0.2)}).size(), 2u);
    EXPECT_EQ(all.select({box(0, 0, 10, 0.2), box(50, 0, 10, 0.2), box(100, 0, 10, 0.2)}).size(), 2u);
}

TEST(Footage, AFollowedFaceIsFoundNearItsLastPlaceAsItIsEverywhere)
{
    BIFRONS_NEEDS_LANDMARKS();
    const fs::path clip = test::assets() / "faces" / "grid" / "sbia1a.mpg";
    BIFRONS_NEEDS_ASSET(clip);
    FaceFinder everywhere({}), near({.search_near = true});
    const auto faces_by = [&](FaceFinder& finder) {
        return find_faces(*open_frames(clip), finder, [](std::int64_t) {});
    };
    const FootageFaces a = faces_by(everywhere), b = faces_by(near);
    ASSERT_EQ(a.clip.size(), 75u);
    ASSERT_EQ(b.clip.size(), 75u);
    double furthest = 0;
    for (std::size_t t = 0; t < 75; ++t) {
        ASSERT_EQ(a.clip[t].faces.size(), 1u) << t;
        ASSERT_EQ(b.clip[t].faces.size(), 1u) << t;
        EXPECT_FALSE(a.clip[t].begins_scene) << t;
        const Landmarks &p = a.clip[t].faces[0].points, &q = b.clip[t].faces[0].points;
        const double eyes = std::hypot(p[45].x - p[36].x, p[45].y - p[36].y);
        double sum = 0;
        for (std::size_t i = 17; i < 48; ++i) sum += std::hypot(p[i].x - q[i].x, p[i].y - q[i].y) / 31 / eyes;
        furthest = std::max(furthest, sum);
    }
    EXPECT_LT(furthest, 0.03) << "of the eyes' distance: what landmarks jitter by";
}

TEST(Footage, ACutBeginsAScene)
{
    const Folder folder;
    for (int i = 0; i < 6; ++i) {
        Image frame(90, 160, 3);
        std::fill(frame.pixels.begin(), frame.pixels.end(), std::uint8_t(i < 4 ? 100 + i : 160));
        save_image(folder / (std::to_string(i) + ".png"), frame);
    }
    BIFRONS_NEEDS_LANDMARKS();
    FaceFinder finder({});
    const FootageFaces found = find_faces(*open_frames(folder.path()), finder, [](std::int64_t) {});
    for (std::size_t t = 0; t < 6; ++t) EXPECT_EQ(found.clip[t].begins_scene, t == 4) << t;
}

TEST(Footage, ExtractedFacesAreThoseOfThatSource)
{
    Faceset set{.folder = "faces"};
    set.sources = {{.name = "a", .path = "/x/a.mp4", .frames = 3, .done = 3, .complete = true},
                   {.name = "b", .path = "/x/b.mp4", .frames = 2, .done = 2, .complete = true},
                   {.name = "c", .path = "/x/c.mp4", .frames = 9, .done = 4}};
    for (const auto& [source, frame] : {std::pair{0, 0}, {0, 2}, {1, 1}})
        set.faces.push_back({.source = source, .frame = frame, .score = double(10 * source + frame)});
    const FootageFaces a = faces_of(set, "/elsewhere/a.mp4", 3);
    ASSERT_EQ(a.clip.size(), 3u);
    EXPECT_EQ(a.clip[0].faces.size(), 1u);
    EXPECT_TRUE(a.clip[1].faces.empty());
    EXPECT_EQ(a.clip[2].faces.at(0).detection.score, 2);
    BIFRONS_EXPECT_ERROR(faces_of(set, "/x/d.mp4", 3), data, "holds no faces of d.mp4");
    BIFRONS_EXPECT_ERROR(faces_of(set, "/x/b.mp4", 3), data, "but the footage has 3");
    BIFRONS_EXPECT_ERROR(faces_of(set, "/x/c.mp4", 9), data, "not complete");
    set.faces[1].frame = 3;
    BIFRONS_EXPECT_ERROR(faces_of(set, "/x/a.mp4", 3), data, "damaged");
}

TEST(Extract, BadSettingsAndPlacesSayWhatTheyAre)
{
    BIFRONS_NEEDS_LANDMARKS();
    const Folder folder;
    BIFRONS_EXPECT_ERROR(detector_kind_of("nose"), usage, "hog, centerface, yunet or haar");
    BIFRONS_EXPECT_ERROR(make_detector({.kind = DetectorKind::yunet}), usage, yunet_file());
    BIFRONS_EXPECT_ERROR(make_detector({.kind = DetectorKind::hog, .model = folder / "a"}), usage, "no model file");
    BIFRONS_EXPECT_ERROR(make_detector({.kind = DetectorKind::yunet, .model = folder / "none.onnx"}), data,
                         "does not exist");
    test::write_text(folder / "bad.onnx", "not a network");
    BIFRONS_EXPECT_ERROR(make_detector({.kind = DetectorKind::yunet, .model = folder / "bad.onnx"}), data,
                         "FaceDetectorYN");
    BIFRONS_EXPECT_ERROR(make_detector({.kind = DetectorKind::haar, .model = folder / "none.xml"}), data,
                         "does not exist");
    BIFRONS_EXPECT_ERROR(make_landmark_model({.model = folder / "none.dat"}), data, "apt install libdlib-data");
    test::write_text(folder / "bad.dat", "not a model");
    BIFRONS_EXPECT_ERROR(make_landmark_model({.model = folder / "bad.dat"}), data, "bad.dat");

    BIFRONS_EXPECT_ERROR(extract({folder / "none.mp4"}, folder / "out", {}), data, "does not exist");
    EXPECT_FALSE(fs::exists(folder / "out"));
    save_image(folder / "empty.png", Image(48, 64, 3));
    BIFRONS_EXPECT_ERROR(extract({folder / "empty.png"}, folder.path(), {}), usage, "holds other files");
    fs::create_directory(folder / "images");
    save_image(folder / "images" / "mine.png", Image(2, 2, 3));
    BIFRONS_EXPECT_ERROR(extract({folder / "empty.png"}, folder.path(), {.overwrite = true}), usage, "holds other");
    EXPECT_TRUE(fs::exists(folder / "images" / "mine.png")) << "overwrites facesets only";
    BIFRONS_EXPECT_ERROR(extract({folder / "empty.png"}, folder / "empty.png", {}), data, "is not a folder");
    BIFRONS_EXPECT_ERROR(extract({folder / "empty.png"}, folder / "out", {}), data, "no face was found in 1 frames");
}

TEST(Extract, EveryFrameOfTheRealClipsHasItsFace)
{
    BIFRONS_NEEDS_LANDMARKS();
    for (const char* name : {"pwij3p", "swwp2s", "sbia1a", "brbk7n"}) {
        const fs::path clip = test::assets() / "faces" / "grid" / (std::string(name) + ".mpg");
        BIFRONS_NEEDS_ASSET(clip);
        const Folder folder;
        const ExtractReport report = extract({clip}, folder / "out", {});
        RecordProperty(std::string("frames_per_second_") + name,
                       std::to_string(double(report.frames) / report.seconds));
        EXPECT_EQ(report.frames, 75) << name;
        EXPECT_EQ(report.counts.faces, 75) << name;
        EXPECT_EQ(report.counts.empty, 0) << name;
        EXPECT_TRUE(report.complete);
        const Faceset set = load_faceset(folder / "out");
        ASSERT_EQ(set.faces.size(), 75u);
        for (std::size_t i = 0; i < 75; ++i) {
            EXPECT_EQ(set.faces[i].frame, std::int64_t(i));
            // The people look at the camera: a whole-face square is about 1.2 times the face's height.
            EXPECT_GT(set.faces[i].size, 150) << name << " " << i;
            EXPECT_LT(set.faces[i].size, 250) << name << " " << i;
            EXPECT_LT(std::abs(set.faces[i].pose.yaw), 0.4) << name << " " << i;
        }
        EXPECT_EQ(load_face(set, 74).W, 256);
    }
}

/// The first frames of a clip as a folder of pictures.
void unpack(const fs::path& clip, const fs::path& folder, int count)
{
    fs::create_directory(folder);
    const auto source = open_frames(clip);
    Frame frame;
    for (int i = 0; i < count && source->next(frame); ++i) save_image(folder / str("f", i, ".png"), frame.image);
}

std::string text_of(const fs::path& path)
{
    const auto bytes = read_file(path);
    return {bytes.begin(), bytes.end()};
}

TEST(Extract, ContinuedAndOnOneThreadIsTheSame)
{
    BIFRONS_NEEDS_LANDMARKS();
    const fs::path clip = test::assets() / "faces" / "grid" / "swwp2s.mpg";
    BIFRONS_NEEDS_ASSET(clip);
    const Folder folder;
    unpack(clip, folder / "in", 20);
    ExtractOptions options = {.side = 96};
    options.finder.threads = 2;
    extract({folder / "in"}, folder / "two", options);
    const std::string whole = text_of(folder / "two" / "faceset.json");

    options.finder.threads = 1;
    std::atomic<bool> stop = false;
    options.cancel = &stop;
    options.progress = [&](std::int64_t done, std::int64_t of) {
        EXPECT_EQ(of, 20);
        EXPECT_LE(done, 20);
        EXPECT_TRUE(is_faceset(folder / "one")) << "killed here, it could be resumed";
        stop = true;
    };
    const ExtractReport first = extract({folder / "in"}, folder / "one", options);
    EXPECT_FALSE(first.complete);
    EXPECT_EQ(first.frames, 16);
    EXPECT_EQ(load_faceset(folder / "one").faces.size(), 16u);
    stop = false;
    options.progress = {};
    const ExtractReport second = extract({folder / "in"}, folder / "one", options);
    EXPECT_TRUE(second.complete);
    EXPECT_EQ(second.frames_now, 4);
    EXPECT_EQ(text_of(folder / "one" / "faceset.json"), whole); // the checksums of the pictures are in it

    // Killed in the first block: a picture is there, and faceset.json, written at the start, knows of none.
    const Folder killed;
    extract({folder / "in" / "f0.png"}, killed / "out", options);
    Faceset begun = load_faceset(killed / "out");
    begun.sources.clear();
    begun.faces.clear();
    save_faceset(begun);
    EXPECT_EQ(extract({folder / "in" / "f0.png"}, killed / "out", options).counts.faces, 1);

    // Again, with other settings, and from the start.
    EXPECT_EQ(extract({folder / "in"}, folder / "one", options).frames_now, 0);
    Faceset other = load_faceset(folder / "one");
    other.landmarks = "facemesh";
    save_faceset(other);
    BIFRONS_EXPECT_ERROR(extract({folder / "in"}, folder / "one", options), usage,
                         "whole_face faces of 96 px by hog with facemesh's landmarks; requested are");
    other.landmarks = "dlib";
    save_faceset(other);
    options.side = 64;
    BIFRONS_EXPECT_ERROR(extract({folder / "in"}, folder / "one", options), usage, "--overwrite");
    EXPECT_EQ(text_of(folder / "one" / "faceset.json"), whole);
    options.overwrite = true;
    BIFRONS_EXPECT_ERROR(extract({folder / "none"}, folder / "one", options), data, "does not exist");
    EXPECT_EQ(text_of(folder / "one" / "faceset.json"), whole);
    BIFRONS_EXPECT_ERROR(extract({folder / "in", folder / "none"}, folder / "one", options), data, "does not exist");
    EXPECT_EQ(text_of(folder / "one" / "faceset.json"), whole) << "all inputs are opened first";
    EXPECT_EQ(extract({folder / "in"}, folder / "one", options).frames_now, 20);
    EXPECT_EQ(load_faceset(folder / "one").side, 64);
}

TEST(Extract, ADamagedPictureCostsItselfAloneAndIsTriedAgain)
{
    BIFRONS_NEEDS_LANDMARKS();
    const fs::path clip = test::assets() / "faces" / "grid" / "swwp2s.mpg";
    BIFRONS_NEEDS_ASSET(clip);
    const Folder folder;
    unpack(clip, folder / "in", 18);
    const std::string good = text_of(folder / "in" / "f5.png");
    test::write_text(folder / "in" / "f5.png", good.substr(0, good.size() / 2));
    std::vector<std::string> warnings;
    const ExtractOptions options = {.side = 64, .warn = [&](const std::string& text) { warnings.push_back(text); }};
    const ExtractReport first = extract({folder / "in"}, folder / "out", options);
    EXPECT_TRUE(first.complete);
    EXPECT_EQ(first.counts.faces, 17);
    EXPECT_EQ(first.unreadable, 1);
    ASSERT_EQ(warnings.size(), 2u);
    EXPECT_NE(warnings[0].find("f5.png: "), std::string::npos) << warnings[0];
    EXPECT_NE(warnings[1].find("1 of 18 pictures could not be read"), std::string::npos) << warnings[1];
    EXPECT_EQ(load_faceset(folder / "out").sources[0].pictures[5], "f6.png");

    test::write_text(folder / "in" / "f5.png", good);
    const ExtractReport second = extract({folder / "in"}, folder / "out", options);
    EXPECT_EQ(second.frames_now, 1);
    EXPECT_EQ(second.counts.faces, 18);
    EXPECT_EQ(second.unreadable, 0);
    const Faceset set = load_faceset(folder / "out");
    EXPECT_EQ(set.sources[0].pictures[17], "f5.png");
    EXPECT_EQ(set.faces[17].frame, 17);
    EXPECT_EQ(set.faces[17].file, "images/in_000017_0.png");

    for (int i = 0; i < 18; ++i) test::write_text(folder / "in" / str("f", i, ".png"), "none");
    BIFRONS_EXPECT_ERROR(extract({folder / "in"}, folder / "other", options), data, "18 pictures could not be read");
}

TEST(Extract, AFolderIsContinuedByTheNamesOfItsPictures)
{
    BIFRONS_NEEDS_LANDMARKS();
    const fs::path clip = test::assets() / "faces" / "grid" / "swwp2s.mpg";
    BIFRONS_NEEDS_ASSET(clip);
    const Folder folder;
    const fs::path in = folder / "in\xE9"; // no UTF-8
    const std::string added = "a\xE9.png";
    unpack(clip, in, 4);
    const ExtractOptions options = {.side = 64};
    extract({in}, folder / "out", options);
    const Faceset before = load_faceset(folder / "out");
    fs::rename(in / "f1.png", in / added); // one is gone, and one is new and before all others
    EXPECT_EQ(extract({in}, folder / "out", options).frames_now, 1);
    const Faceset after = load_faceset(folder / "out");
    EXPECT_EQ(after.sources[0].pictures, (std::vector<std::string>{"f0.png", "f1.png", "f2.png", "f3.png", added}));
    ASSERT_EQ(after.faces.size(), 5u);
    EXPECT_EQ(after.faces[4].file, "images/in\xE9_000004_0.png");
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(after.faces[i].checksum, before.faces[i].checksum);
    EXPECT_EQ(after.faces[4].checksum, before.faces[1].checksum) << "the same picture under another name";
    EXPECT_EQ(extract({in}, folder / "out", options).frames_now, 0);

    // Made before names were kept: by number, and only while the folder is as it was.
    Faceset old = after;
    old.sources[0].pictures.clear();
    old.sources[0].fingerprints.clear();
    old.sources[0].frames = 5;
    save_faceset(old);
    BIFRONS_EXPECT_ERROR(extract({in}, folder / "out", options), data, "has 4 frames");
    fs::copy(in / added, in / "f1.png");
    EXPECT_EQ(extract({in}, folder / "out", options).frames_now, 0);
    EXPECT_EQ(load_faceset(folder / "out").sources[0].pictures.size(), 5u);
}

TEST(Extract, OtherFootageOfTheSameNameIsAnotherSource)
{
    BIFRONS_NEEDS_LANDMARKS();
    const fs::path clip = test::assets() / "faces" / "grid" / "swwp2s.mpg";
    BIFRONS_NEEDS_ASSET(clip);
    const Folder folder;
    unpack(clip, folder / "in", 2);
    std::vector<std::string> warnings;
    const ExtractOptions options = {.side = 64, .warn = [&](const std::string& text) { warnings.push_back(text); }};
    const auto frames_of = [&](const fs::path& input) { return extract({input}, folder / "out", options).frames_now; };
    EXPECT_EQ(frames_of(folder / "in" / "f0.png"), 1);
    fs::create_directory(folder / "moved");
    fs::copy(folder / "in" / "f0.png", folder / "moved" / "f0.png");
    EXPECT_EQ(frames_of(folder / "moved" / "f0.png"), 0) << "the same footage in another folder";
    EXPECT_TRUE(warnings.empty());
    fs::rename(folder / "in" / "f1.png", folder / "in" / "f0.png");
    EXPECT_EQ(frames_of(folder / "in" / "f0.png"), 1);
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_NE(warnings[0].find("f0.png: other footage of this name was extracted before; this is f0-2"),
              std::string::npos)
        << warnings[0];
    EXPECT_EQ(frames_of(folder / "in" / "f0.png"), 0);
    const Faceset set = load_faceset(folder / "out");
    ASSERT_EQ(set.sources.size(), 2u);
    EXPECT_EQ(set.sources[1].name, "f0-2");
    EXPECT_EQ(set.sources[1].path, "f0.png");
    EXPECT_EQ(set.faces[1].source, 1);
    EXPECT_FALSE(fs::exists(folder / "out" / "faceset.journal"));
    EXPECT_EQ(text_of(folder / "out" / "faceset.json").find(folder.path().string()), std::string::npos);

    // One picture of several was retouched.
    unpack(clip, folder / "more", 3);
    EXPECT_EQ(frames_of(folder / "more"), 3);
    fs::copy(folder / "more" / "f0.png", folder / "more" / "f1.png", fs::copy_options::overwrite_existing);
    warnings.clear();
    EXPECT_EQ(frames_of(folder / "more"), 0);
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_NE(warnings[0].find("1 pictures were changed since they were extracted, f1.png;"), std::string::npos)
        << warnings[0];
}

TEST(Extract, WhatWasDroppedIsListedWithItsReason)
{
    BIFRONS_NEEDS_LANDMARKS();
    const fs::path clip = test::assets() / "faces" / "grid" / "swwp2s.mpg";
    BIFRONS_NEEDS_ASSET(clip);
    const Folder folder;
    unpack(clip, folder / "in", 1);
    const Image one = load_image(folder / "in" / "f0.png");
    Image two(one.H, 2 * one.W, 3); // the speaker twice, the left one smaller
    const Image smaller = warp(one, {{0.9, 0, 0, 0, 0.9, 0}}, one.H, one.W);
    for (std::int64_t y = 0; y < one.H; ++y) {
        std::copy_n(smaller.at(y, 0), one.W * 3, two.at(y, 0));
        std::copy_n(one.at(y, 0), one.W * 3, two.at(y, one.W));
    }
    save_image(folder / "in" / "f1.png", two);
    ExtractOptions options = {.side = 64};
    extract({folder / "in"}, folder / "out", options);
    const SourceRecord source = load_faceset(folder / "out").sources.at(0);
    EXPECT_EQ(source.counts.faces, 2);
    ASSERT_EQ(source.counts.ignored, 1);
    const auto other = std::find_if(source.dropped.begin(), source.dropped.end(),
                                    [](const DroppedFace& d) { return d.reason == "other face"; });
    ASSERT_NE(other, source.dropped.end());
    EXPECT_EQ(other->frame, 1);
    EXPECT_GT(other->rect.left, double(one.W)) << "the left one continues where the face was";
    EXPECT_GT(other->score, 0);
    EXPECT_EQ(std::int64_t(source.dropped.size()), source.counts.ignored + source.counts.low_score);

    options.finder.min_score = 100;
    BIFRONS_EXPECT_ERROR(extract({folder / "in"}, folder / "strict", options), data, "no face was found in 2 frames");
    const SourceRecord strict = load_faceset(folder / "strict").sources.at(0);
    EXPECT_GE(strict.counts.low_score, 3);
    ASSERT_EQ(std::int64_t(strict.dropped.size()), strict.counts.low_score);
    for (const DroppedFace& face : strict.dropped) EXPECT_EQ(face.reason, "low score");
}

TEST(Extract, FacesOfPicturesAreFoundAgainByName)
{
    const Folder folder;
    fs::create_directory(folder / "in");
    for (const char* name : {"a.png", "c.png"}) test::write_text(folder / "in" / name, "");
    Faceset set = {.folder = folder.path()};
    set.sources.push_back({.name = "in", .path = (folder / "in").string(), .frames = 3, .done = 3, .complete = true});
    set.sources[0].pictures = {"c.png", "gone.png", "a.png"};
    for (const std::int64_t frame : {0, 1, 2}) set.faces.push_back({.frame = frame, .score = double(frame)});
    const Clip clip = faces_of(set, folder / "in", 2).clip;
    ASSERT_EQ(clip.size(), 2u);
    ASSERT_EQ(clip[0].faces.size(), 1u);
    ASSERT_EQ(clip[1].faces.size(), 1u);
    EXPECT_EQ(clip[0].faces[0].detection.score, 2) << "a.png";
    EXPECT_EQ(clip[1].faces[0].detection.score, 0) << "c.png";
    test::write_text(folder / "in" / "b.png", "no picture, and left out by merge, too");
    EXPECT_EQ(faces_of(set, folder / "in", 3).clip[1].faces.size(), 1u) << "c.png";
    save_image(folder / "in" / "b.png", Image(2, 2, 3), {.existing = Existing::replace});
    BIFRONS_EXPECT_ERROR(faces_of(set, folder / "in", 3), data, "b.png: was not extracted");

    // Of two clips of one name, the very one; of none of them, the first, with a word.
    const fs::path footage = folder / "a.mp4";
    test::write_text(footage, "footage");
    set.sources = {{.name = "a", .path = "a.mp4", .frames = 1, .done = 1, .complete = true, .fingerprints = {"x"}},
                   {.name = "a-2",
                    .path = "a.mp4",
                    .frames = 1,
                    .done = 1,
                    .complete = true,
                    .fingerprints = {fingerprint_of(footage)}}};
    set.faces = {{.source = 0, .score = 1}, {.source = 1, .score = 2}};
    EXPECT_EQ(faces_of(set, footage, 1).clip[0].faces.at(0).detection.score, 2);
    EXPECT_FALSE(faces_of(set, footage, 1).other_file);
    set.sources[1].fingerprints = {"y"};
    EXPECT_EQ(faces_of(set, footage, 1).clip[0].faces.at(0).detection.score, 1);
    EXPECT_TRUE(faces_of(set, footage, 1).other_file);
}

TEST(Extract, ImportedFacesAreFoundByTheNamesOfFrames)
{
    const Folder folder;
    Faceset set = {.folder = folder.path(), .detector = "DeepFaceLab"};
    set.sources = {{.name = "aligned", .path = "aligned", .frames = 2, .done = 2, .complete = true}};
    set.sources[0].pictures = {"bob_000001.jpg", "bob_000003.png"};
    set.faces = {{.frame = 0, .score = 1}, {.frame = 1, .score = 3}, {.frame = 1, .score = 4}};
    // A video's frames are numbered; those without a face are in no picture.
    const Clip clip = faces_of(set, "/x/bob.mp4", 5).clip;
    ASSERT_EQ(clip.size(), 5u);
    EXPECT_EQ(clip[1].faces.at(0).detection.score, 1);
    EXPECT_EQ(clip[1].faces[0].record, 0u);
    ASSERT_EQ(clip[3].faces.size(), 2u);
    EXPECT_EQ(clip[3].faces[1].record, 2u);
    EXPECT_TRUE(clip[0].faces.empty() && clip[2].faces.empty() && clip[4].faces.empty());

    fs::create_directory(folder / "in");
    for (const char* name : {"a.png", "bob_000003.png"}) save_image(folder / "in" / name, Image(2, 2, 3));
    test::write_text(folder / "in" / "b.png", "no picture, and left out by merge, too");
    const Clip pictures = faces_of(set, folder / "in", 3).clip;
    EXPECT_TRUE(pictures[0].faces.empty());
    EXPECT_EQ(pictures[1].faces.size(), 2u);
    BIFRONS_EXPECT_ERROR(faces_of(set, "/x/alice.mp4", 5), data, "none of which is a frame of /x/alice.mp4");
    set.sources[0].complete = false;
    BIFRONS_EXPECT_ERROR(faces_of(set, "/x/bob.mp4", 5), data, "Run the same `bifrons import` again");
}

TEST(Extract, AFolderThatIsWrittenIsLeftAlone)
{
    BIFRONS_NEEDS_LANDMARKS();
    const Folder folder;
    save_image(folder / "empty.png", Image(48, 64, 3));
    {
        const FolderLock other((folder / "out").string());
        BIFRONS_EXPECT_ERROR(extract({folder / "empty.png"}, folder / "out", {}), failed, "is writing there");
        EXPECT_FALSE(is_faceset(folder / "out"));
        BIFRONS_EXPECT_ERROR(check_unlocked((folder / "out").string()), failed, "is writing there");
    }
    BIFRONS_EXPECT_ERROR(extract({folder / "empty.png"}, folder / "out", {}), data, "no face was found");
    EXPECT_FALSE(fs::exists(folder / "out" / ".lock"));
    EXPECT_NO_THROW(check_unlocked((folder / "out").string()));
    EXPECT_NO_THROW(check_unlocked((folder / "none").string()));
}

TEST(Extract, FacesAtTheEdgeAndOddSizesAreCut)
{
    BIFRONS_NEEDS_LANDMARKS();
    const fs::path clip = test::assets() / "faces" / "grid" / "sbia1a.mpg";
    BIFRONS_NEEDS_ASSET(clip);
    const Folder folder;
    Frame frame;
    open_frames(clip)->next(frame);
    // The face reaches over the lower edge of the second picture.
    save_image(folder / "a.png", warp(frame.image, {}, 287, 359));
    save_image(folder / "b.png", warp(frame.image, {{1, 0, 0, 0, 1, 40}}, 251, 301));
    const ExtractReport report = extract({folder / "a.png", folder / "b.png"}, folder / "out", {.side = 64});
    EXPECT_EQ(report.counts.faces, 2);
    EXPECT_EQ(load_faceset(folder / "out").sources.size(), 2u);
}

struct Marked {
    Rect rect;
    Landmarks points;
};

/// The boxes with their 68 points, by picture.
std::map<std::string, std::vector<Marked>> marks_in(const fs::path& xml)
{
    std::map<std::string, std::vector<Marked>> marks;
    const std::string text = text_of(xml);
    const std::regex tag("<(image|box|part) ([^>]*)>"), attribute("(\\w+)='([^']*)'");
    std::string picture;
    for (std::sregex_iterator i(text.begin(), text.end(), tag), end; i != end; ++i) {
        std::map<std::string, std::string> a;
        const std::string body = (*i)[2];
        for (std::sregex_iterator j(body.begin(), body.end(), attribute); j != end; ++j) a[(*j)[1]] = (*j)[2];
        if ((*i)[1] == "image") picture = a["file"];
        if ((*i)[1] == "box") {
            const double left = std::stod(a["left"]), top = std::stod(a["top"]);
            marks[picture].push_back({{left, top, left + std::stod(a["width"]), top + std::stod(a["height"])}, {}});
        }
        if ((*i)[1] == "part")
            marks[picture].back().points[std::stoul(a["name"])] = {std::stod(a["x"]), std::stod(a["y"])};
    }
    return marks;
}

/// Mean distance of the points over the distance of the pupils.
double error_of(const Landmarks& got, const Landmarks& want)
{
    double sum = 0;
    for (std::size_t i = 0; i < 68; ++i) sum += std::hypot(got[i].x - want[i].x, got[i].y - want[i].y) / 68;
    const auto pupil = [&](std::size_t first) {
        Point p;
        for (std::size_t i = first; i < first + 6; ++i) p = {p.x + want[i].x / 6, p.y + want[i].y / 6};
        return p;
    };
    return sum / std::hypot(pupil(36).x - pupil(42).x, pupil(36).y - pupil(42).y);
}

/// At most `astray` of the fits may have gone wrong.
void compare_with_marks(const DetectorOptions& detector, int astray = 0)
{
    const fs::path stills = test::assets() / "faces" / "stills";
    FaceFinder finder({.detector = detector, .faces = Faces::all});
    double sum = 0;
    int faces = 0, wrong = 0;
    for (const char* xml : {"testing_with_face_landmarks.xml", "training_with_face_landmarks.xml"})
        for (const auto& [name, marked] : marks_in(stills / xml)) {
            if (!fs::exists(stills / name)) continue;
            const auto found = finder.find({{0, name, load_image(stills / name)}});
            for (const Marked& mark : marked) {
                const auto same =
                    std::find_if(found[0].faces.begin(), found[0].faces.end(),
                                 [&](const FrameFace& face) { return overlap(face.detection.rect, mark.rect) > 0.3; });
                ASSERT_NE(same, found[0].faces.end()) << name << ": a marked face was not found";
                const double error = error_of(same->points, mark.points);
                if (error >= 0.1)
                    std::printf("%s: %s at %.0f: %.3f\n", name_of(detector.kind), name.c_str(), mark.rect.left, error);
                wrong += error >= 0.1;
                sum += error;
                ++faces;
            }
        }
    ASSERT_GT(faces, 4);
    EXPECT_LE(wrong, astray);
    ::testing::Test::RecordProperty("landmark_error", std::to_string(sum / faces));
    std::printf("%s: %d faces, mean landmark error / inter-pupil %.4f\n", name_of(detector.kind), faces, sum / faces);
}

// Most of these faces have 15 px between the pupils and marks in whole pixels, drawn by the same trees from HOG boxes:
// 0.03 is noise. A fit that went wrong has 0.2 to 1.2.
TEST(Extract, EveryMarkedFaceOfTheStillsIsFoundAndItsPointsFit)
{
    BIFRONS_NEEDS_LANDMARKS();
    BIFRONS_NEEDS_ASSET(test::assets() / "faces" / "stills" / "testing_with_face_landmarks.xml");
    compare_with_marks({});
}

TEST(Extract, YunetFindsThemToo)
{
    BIFRONS_NEEDS_LANDMARKS();
    const fs::path model = test::assets() / "models" / yunet_file();
    BIFRONS_NEEDS_ASSET(model);
    compare_with_marks({.kind = DetectorKind::yunet, .model = model});
}

TEST(Extract, CenterFaceFindsThemToo)
{
    BIFRONS_NEEDS_LANDMARKS();
    const fs::path model = test::optional_model(centerface_file());
    BIFRONS_NEEDS_MODEL(model);
    BIFRONS_NEEDS_ASSET(test::assets() / "faces" / "stills" / "testing_with_face_landmarks.xml");
    // Two half profiles with 11 and 13 px between the eyes: the points are right, and the trees go astray from there.
    compare_with_marks({.kind = DetectorKind::centerface, .model = model}, 2);
}

TEST(Detector, TheDefaultIsTheBestWhoseFileIsThere)
{
    EXPECT_EQ(default_detector(), DetectorKind::hog);
    const Folder folder;
    const std::string before = std::getenv("BIFRONS_MODELS");
    ::setenv("BIFRONS_MODELS", folder.path().c_str(), 1);
    test::write_text(folder / yunet_file(), "");
    EXPECT_EQ(default_detector(), DetectorKind::yunet);
    test::write_text(folder / centerface_file(), "");
    EXPECT_EQ(default_detector(), DetectorKind::centerface);
    BIFRONS_EXPECT_ERROR(make_detector({.kind = DetectorKind::centerface}), data,
                         (folder / centerface_file()).string());
    BIFRONS_EXPECT_ERROR(make_detector({.kind = DetectorKind::yunet}), data, (folder / yunet_file()).string());
    test::write_text(folder / "haarcascade_frontalface_alt2.xml", "");
    BIFRONS_EXPECT_ERROR(make_detector({.kind = DetectorKind::haar}), data, folder.path().string());
    ::setenv("BIFRONS_MODELS", before.c_str(), 1);
}

TEST(Extract, AYunetFileOfAnotherOpenCvIsRefused)
{
    const fs::path model = test::assets() / "models" / "face_detection_yunet_2022mar.onnx";
    BIFRONS_NEEDS_ASSET(model);
    if (model.filename() == yunet_file()) GTEST_SKIP() << "this OpenCV takes it";
    BIFRONS_EXPECT_ERROR(make_detector({.kind = DetectorKind::yunet, .model = model}), data, yunet_file());
}

TEST(Extract, HaarFindsTheSpeakerWhereHogDoes)
{
    BIFRONS_NEEDS_LANDMARKS();
    const fs::path cascade = "/usr/share/opencv4/haarcascades/haarcascade_frontalface_alt2.xml";
    if (!fs::exists(cascade)) {
        BIFRONS_EXPECT_ERROR(make_detector({.kind = DetectorKind::haar}), data, "apt install opencv-data");
        GTEST_SKIP() << "opencv-data is not installed";
    }
    const fs::path clip = test::assets() / "faces" / "grid" / "brbk7n.mpg";
    BIFRONS_NEEDS_ASSET(clip);
    std::vector<Frame> frames(1);
    ASSERT_TRUE(open_frames(clip)->next(frames[0]));
    const auto haar = FaceFinder({.detector = {.kind = DetectorKind::haar}}).find(frames);
    const auto hog = FaceFinder({}).find(frames);
    ASSERT_EQ(haar[0].faces.size(), 1u);
    ASSERT_EQ(hog[0].faces.size(), 1u);
    EXPECT_LT(error_of(haar[0].faces[0].points, hog[0].faces[0].points), 0.1); // 0.1: a fit that went wrong, see above
}

} // namespace
} // namespace bifrons::data
