// tests/data/faceset_test.cpp - facesets: what comes back, and what a wrong edit says.
#include "data/faceset.h"

#include "data/warp.h"
#include "kernels/base/error.h"
#include "tests/data/faces.h"
#include "tests/data/folder.h"

#include <gtest/gtest.h>

#include <set>

namespace bifrons::data {
namespace {

using test::Folder;
using test::write_text;
namespace fs = std::filesystem;

/// Smooth, so that sampling it twice is nearly sampling it once.
Image frame_picture(std::int64_t index)
{
    Image image(240, 320, 3);
    for (std::int64_t y = 0; y < 240; ++y)
        for (std::int64_t x = 0; x < 320; ++x)
            for (int c = 0; c < 3; ++c)
                image.at(y, x)[c] = std::uint8_t(128 + 60 * std::sin(0.05 * double(x + 3 * index) + c) +
                                                 50 * std::cos(0.04 * double(y)));
    return image;
}

/// `count` faces of one source, taken from frame_picture.
Faceset make_faceset(const fs::path& folder, std::int64_t count, FaceType type = FaceType::whole_face)
{
    fs::create_directory(folder / "images");
    Faceset set = {.folder = folder, .type = type, .side = 64, .detector = "hog"};
    set.sources.push_back({.name = "clip", .path = "/clip.mp4", .frames = count, .done = count, .complete = true});
    for (std::int64_t i = 0; i < count; ++i) {
        FaceRecord face = {
            .file = str("images/clip_", i, "_0.png"), .frame = i, .rect = {100, 60, 180, 150}, .score = 1.5};
        face.in_frame = test::turned(0.1, 1, 3, double(i))(test::mean_landmarks(70, 120, 90));
        face.matrix = face_from_frame(face.in_frame, set.type, set.side);
        face.in_face = face.matrix(face.in_frame);
        face.size = double(set.side) / face.matrix.scale();
        face.pose = pose_of(face.in_frame);
        save_image(folder / face.file, warp(frame_picture(i), face.matrix, set.side, set.side));
        face.checksum = checksum_of(read_file(folder / face.file));
        set.faces.push_back(face);
    }
    save_faceset(set);
    return set;
}

std::string text_of(const fs::path& path)
{
    const auto bytes = read_file(path);
    return {bytes.begin(), bytes.end()};
}

TEST(Faceset, ComesBackAsItWasWritten)
{
    const Folder folder;
    const Faceset set = make_faceset(folder.path(), 3), back = load_faceset(folder.path());
    EXPECT_EQ(back.type, set.type);
    EXPECT_EQ(back.side, 64);
    EXPECT_EQ(back.detector, "hog");
    ASSERT_EQ(back.faces.size(), 3u);
    ASSERT_EQ(back.sources.size(), 1u);
    EXPECT_EQ(back.sources[0].name, "clip");
    EXPECT_EQ(back.sources[0].frames, 3);
    EXPECT_TRUE(back.sources[0].complete);
    const FaceRecord &a = set.faces[2], &b = back.faces[2];
    EXPECT_EQ(b.file, a.file);
    EXPECT_EQ(b.frame, 2);
    EXPECT_EQ(b.matrix.m, a.matrix.m);
    EXPECT_EQ(b.checksum, a.checksum);
    EXPECT_EQ(b.pose.yaw, a.pose.yaw);
    EXPECT_EQ(b.rect.bottom, 150);
    for (std::size_t i = 0; i < 68; ++i) {
        EXPECT_EQ(b.in_frame[i].x, a.in_frame[i].x);
        EXPECT_EQ(b.in_face[i].y, a.in_face[i].y);
    }
    EXPECT_EQ(load_face(back, 1).W, 64);
}

TEST(Faceset, KeepsWhatWasDroppedAndReadsFilesWithoutIt)
{
    const Folder folder;
    Faceset set = make_faceset(folder.path(), 1);
    set.sources[0].pictures = {"b.png", "a.jpg"};
    set.sources[0].done = 2;
    set.sources[0].dropped = {{7, "low score", 0.25, {1, 2, 3, 4.5}}, {9, "other face", 2, {}}};
    save_faceset(set);
    const SourceRecord source = load_faceset(folder.path()).sources.at(0);
    EXPECT_EQ(source.pictures, set.sources[0].pictures);
    ASSERT_EQ(source.dropped.size(), 2u);
    EXPECT_EQ(source.dropped[0].frame, 7);
    EXPECT_EQ(source.dropped[0].reason, "low score");
    EXPECT_EQ(source.dropped[0].score, 0.25);
    EXPECT_EQ(source.dropped[0].rect.bottom, 4.5);
    EXPECT_EQ(source.dropped[1].reason, "other face");

    const fs::path file = folder / "faceset.json";
    std::string text = text_of(file);
    for (const char* field : {"\"pictures\"", "\"dropped\""})
        text.replace(text.find(field), 3, "\"an"); // unknown fields are passed over
    write_text(file, text);
    EXPECT_TRUE(load_faceset(folder.path()).sources.at(0).dropped.empty());
    EXPECT_TRUE(load_faceset(folder.path()).sources.at(0).pictures.empty());
}

TEST(Faceset, WrongEditsAreNamed)
{
    const Folder folder;
    make_faceset(folder.path(), 2);
    const fs::path file = folder / "faceset.json";
    const std::string good = text_of(file);
    struct Edit {
        std::string from, to, message;
    };
    const Edit edits[] = {
        {"\"side\":64", "\"side\":\"64\"", "'side' is \"64\""},
        {"\"side\":64", "\"side\":7", "expected 16 to 4096"},
        {"\"face_type\":\"whole_face\"", "\"face_type\":\"hole\"", "hole"},
        {"\"version\":1", "\"version\":9", "version 1"},
        {"\"score\":1.5,", "", "face 0: has no 'score'"},
        {"\"landmarks\":[", "\"points\":[", "face 0: has no 'landmarks'"},
        {"\"landmarks_in_frame\":[", "\"points\":[", "face 0: has no 'landmarks_in_frame'"},
        {"\"pose\":[", "\"turn\":[", "face 0: has no 'pose'"},
        {"\"pose\":[", "\"pose\":[0,", "'pose' has 4 numbers"},
        {"\"source\":0", "\"source\":1", "'source' is 1"},
        {"\"rect\":[100.0,", "\"rect\":[", "'rect' has 3 numbers"},
        {"images/clip_1_0.png", "../secret.png", "inside the faceset"},
        {"images/clip_1_0.png", "images/none.png", "an existing picture"},
        {"\"matrix\":[0", "\"matrix\":[1", "'matrix'"},
        {"\"checksum\":\"", "\"checksum\":\"xyz", "16 hexadecimal digits"},
        {"\"complete\":true", "\"complete\":\"yes\"", "'complete'"},
        {"\"dropped\":[]", "\"dropped\":[{\"frame\":-1,\"rect\":[0,0,0,0]}]", "source 0: dropped 0: 'frame' is -1"},
        {"\"pictures\":[]", "\"pictures\":[1]", "'pictures'"},
        {"\"pictures\":[]", "\"pictures\":[\"a.png\",\"../b.png\"]", "'pictures' is ../b.png"},
        {"\"pictures\":[]", "\"pictures\":[\"a.png\"]", "'pictures' is 1; expected 2 names"}};
    for (const Edit& edit : edits) {
        std::string text = good;
        const std::size_t at = text.find(edit.from);
        ASSERT_NE(at, std::string::npos) << edit.from;
        write_text(file, text.replace(at, edit.from.size(), edit.to));
        try {
            load_faceset(folder.path());
            ADD_FAILURE() << edit.to << " was accepted";
        } catch (const Error& error) {
            EXPECT_NE(std::string(error.what()).find(edit.message), std::string::npos) << error.what();
        }
    }
    for (std::size_t n : {std::size_t(0), std::size_t(1), good.size() / 3, good.size() - 3}) {
        write_text(file, good.substr(0, n));
        BIFRONS_EXPECT_ERROR(load_faceset(folder.path()), data, "faceset.json");
    }
    fs::remove(file);
    BIFRONS_EXPECT_ERROR(load_faceset(folder.path()), data, "bifrons extract");
    BIFRONS_EXPECT_ERROR(load_faceset(folder / "none"), data, "is not a faceset");
}

TEST(Faceset, ChangedPicturesAreNoticed)
{
    const Folder folder;
    Faceset set = make_faceset(folder.path(), 2);
    const fs::path picture = folder / set.faces[0].file;
    std::string bytes = text_of(picture);
    bytes[bytes.size() / 2] = char(bytes[bytes.size() / 2] ^ 1);
    write_text(picture, bytes);
    BIFRONS_EXPECT_ERROR(load_face(set, 0), data, "checksum");
    save_image(picture, Image(32, 64, 3), {.existing = Existing::replace});
    set.faces[0].checksum = checksum_of(read_file(picture));
    BIFRONS_EXPECT_ERROR(load_face(set, 0), data, "expected 64x64");
    BIFRONS_EXPECT_ERROR(load_faces(set, {1, 0}, FaceType::full, 32), data, "expected 64x64");
}

TEST(Faceset, SmallerTypesAreCutOutOfLargerOnes)
{
    const Folder folder;
    const Faceset set = make_faceset(folder.path(), 3, FaceType::head);
    const FaceArrays arrays = load_faces(set, {2, 0}, FaceType::full, 24, {.margin = 2});
    ASSERT_EQ(arrays.count, 2);
    ASSERT_EQ(arrays.side, 28);
    ASSERT_EQ(arrays.images.size(), 2u * 28 * 28 * 3);
    ASSERT_EQ(arrays.masks.size(), 2u * 28 * 28);
    // Sampled straight from the frame: once instead of twice.
    Affine direct = face_from_frame(set.faces[2].in_frame, FaceType::full, 24);
    direct.m[2] += 2;
    direct.m[5] += 2;
    const Image want = warp(frame_picture(2), direct, 28, 28);
    for (std::size_t i = 0; i < want.pixels.size(); ++i) ASSERT_NEAR(arrays.images[i], want.pixels[i], 3) << i;
    EXPECT_EQ(arrays.masks[28 * 14 + 14], 255);
    EXPECT_EQ(arrays.masks[0], 0);
    EXPECT_TRUE(arrays.eyes_mouth.empty()) << "costs nothing unless asked for";
    const FaceArrays with = load_faces(set, {2, 0}, FaceType::full, 24, {.margin = 2, .eyes_mouth = true});
    EXPECT_EQ(with.images, arrays.images);
    ASSERT_EQ(with.eyes_mouth.size(), arrays.masks.size());
    direct = face_from_frame(set.faces[0].in_frame, FaceType::full, 24);
    const Point mouth = direct(set.faces[0].in_frame[66]);
    const auto at = std::size_t(28 * 28 + 28 * std::lround(mouth.y + 2) + std::lround(mouth.x + 2));
    EXPECT_GT(with.eyes_mouth[at], 200) << "of the second face";
}

TEST(Faceset, TheSameTypeAndSideIsTheStoredPicture)
{
    const Folder folder;
    const Faceset set = make_faceset(folder.path(), 1);
    EXPECT_EQ(load_faces(set, {0}, FaceType::whole_face, 64).images, load_face(set, 0).pixels);
    BIFRONS_EXPECT_ERROR(load_faces(set, {0}, FaceType::head, 64), usage, "extract again");
}

TEST(Faceset, YawGroupsAreDeepFaceLabsBinsWithoutTheEmptyOnes)
{
    // Lower edges are -1.2 + 2.4 k / 127: a bin is 0.018898 wide.
    Faceset set;
    for (const double yaw : {0.0, -1.5, 1.19, 0.01, 1.2, -1.2, 3.0, -1.19, -1.18})
        set.faces.push_back({.pose = {.yaw = yaw}});
    const YawGroups groups = group_by_yaw(set, {0, 1, 2, 3, 4, 5, 6, 7, 8});
    // Bins: 63 (0, edges -0.0094 and 0.0094), 0, 126, 64, 127, 0, 127, 0, 1.
    EXPECT_EQ(groups.faces, (std::vector<std::int64_t>{1, 5, 7, 8, 0, 3, 2, 4, 6}));
    EXPECT_EQ(groups.begins, (std::vector<std::int64_t>{0, 3, 4, 5, 6, 7, 9}));
    EXPECT_EQ(group_by_yaw(set, {6, 2}).faces, (std::vector<std::int64_t>{1, 0})) << "positions in the list";
}

TEST(Faceset, HeldOutFramesAreOneBlockOutOfTheMiddleOfEachSource)
{
    Faceset set;
    set.sources.resize(3);
    for (std::int64_t i = 0; i < 40; ++i) set.faces.push_back({.source = 0, .frame = 39 - i}); // in any order
    for (std::int64_t i = 0; i < 30; ++i) set.faces.push_back({.source = 1, .frame = i});
    for (std::int64_t i = 0; i < 5; ++i) set.faces.push_back({.source = 2, .frame = i}); // too few
    const Split split = split_faces(set, 0.1);
    EXPECT_EQ(split.train.size() + split.validation.size(), 75u);
    std::set<std::size_t> seen(split.train.begin(), split.train.end());
    seen.insert(split.validation.begin(), split.validation.end());
    EXPECT_EQ(seen.size(), 75u);
    std::vector<std::pair<std::int64_t, std::int64_t>> held;
    for (const std::size_t i : split.validation) held.push_back({set.faces[i].source, set.faces[i].frame});
    EXPECT_EQ(held, (std::vector<std::pair<std::int64_t, std::int64_t>>{
                        {0, 18}, {0, 19}, {0, 20}, {0, 21}, {1, 13}, {1, 14}, {1, 15}}));
    EXPECT_TRUE(split_faces(set, 0).validation.empty());
    EXPECT_TRUE(split_faces(Faceset{}, 0.1).train.empty());
}

} // namespace
} // namespace bifrons::data
