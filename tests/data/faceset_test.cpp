// tests/data/faceset_test.cpp - facesets: what comes back, and what a wrong edit says.
#include "data/faceset.h"

#include "data/warp.h"
#include "kernels/base/error.h"
#include "tests/data/faces.h"
#include "tests/data/folder.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <algorithm>
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
    Faceset set = {.folder = folder, .type = type, .side = 64, .detector = "hog", .landmarks = "facemesh"};
    set.sources.push_back({.name = "clip", .path = "clip.mp4", .frames = count, .done = count, .complete = true});
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
    EXPECT_EQ(back.landmarks, "facemesh");
    std::string older = text_of(folder / "faceset.json");
    older.erase(older.find(",\"landmarks\":\"facemesh\""), std::string_view(",\"landmarks\":\"facemesh\"").size());
    EXPECT_EQ(parse_faceset(folder.path(), older, "").landmarks, "dlib") << "there was no other";
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
        {"\"face_type\":\"whole_face\"", "\"face_type\":\"hole\"", "faceset.json: 'face_type' is \"hole\""},
        {"\"version\":1", "\"version\":9", "version 1"},
        {"\"score\":1.5,", "", "face 0: has no 'score'"},
        {"\"landmarks\":[", "\"points\":[", "face 0: has no 'landmarks'"},
        {"\"landmarks_in_frame\":[", "\"points\":[", "face 0: has no 'landmarks_in_frame'"},
        {"\"pose\":[", "\"turn\":[", "face 0: has no 'pose'"},
        {"\"pose\":[", "\"pose\":[0,", "'pose' has 4 numbers"},
        {"\"source\":0", "\"source\":1", "'source' is 1"},
        {"\"rect\":[100.0,", "\"rect\":[", "'rect' has 3 numbers"},
        {"images/clip_1_0.png", "../secret.png", "inside the faceset"},
        {"\"matrix\":[0", "\"matrix\":[1", "'matrix'"},
        {"\"checksum\":\"", "\"checksum\":\"xyz", "16 hexadecimal digits"},
        {"\"complete\":true", "\"complete\":\"yes\"", "'complete'"},
        {"\"dropped\":[]", "\"dropped\":[{\"frame\":-1,\"rect\":[0,0,0,0]}]", "source 0: dropped 0: 'frame' is -1"},
        {"\"pictures\":[]", "\"pictures\":[1]", "'pictures'"},
        {"\"pictures\":[]", "\"pictures\":[\"a.png\",\"../b.png\"]", "'pictures' is \"../b.png\""},
        {"\"pictures\":[]", "\"pictures\":[\"a.png\"]", "'pictures' is 1 names; expected 2"},
        {"\"fingerprints\":[]", "\"fingerprints\":[\"a\",\"b\"]", "'fingerprints' is 2 texts; expected 1"}};
    for (const Edit& edit : edits) {
        std::string text = good;
        const std::size_t at = text.find(edit.from);
        ASSERT_NE(at, std::string::npos) << edit.from;
        write_text(file, text.replace(at, edit.from.size(), edit.to));
        try {
            load_faceset(folder.path());
            ADD_FAILURE() << edit.to << " was accepted";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::data);
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

TEST(Faceset, FacesThatCannotBeAreNamed)
{
    const Folder folder;
    make_faceset(folder.path(), 2);
    const fs::path file = folder / "faceset.json";
    const nlohmann::json good = nlohmann::json::parse(text_of(file));
    const auto expect = [&](const std::string& text, const std::string& message) {
        write_text(file, text);
        BIFRONS_EXPECT_ERROR(load_faceset(folder.path()), data, "faceset.json: face 1: " + message);
    };
    const auto expect_face = [&](const char* field, const nlohmann::json& value, const std::string& message) {
        nlohmann::json edited = good;
        edited["faces"][1][field] = value;
        expect(edited.dump(), message);
    };
    const auto matrix = good["faces"][1]["matrix"].get<std::vector<double>>();
    const auto with = [](std::vector<double> values, std::size_t i, double value) {
        values[i] = value;
        return values;
    };
    for (const double scale : {0.0, 1e-200, 1e200})
        expect_face("matrix", {scale, 0, matrix[2], 0, scale, matrix[5]}, "'matrix' is");
    expect_face("matrix", with(matrix, 2, 1e9), "'matrix' is");
    expect_face("matrix", with(matrix, 0, 1.1 * matrix[0]), "'matrix' is");
    const auto in_frame = good["faces"][1]["landmarks_in_frame"].get<std::vector<double>>();
    expect_face("landmarks_in_frame", std::vector<double>(136, 5), "'matrix' is");
    expect_face("landmarks_in_frame", with(in_frame, 7, 1e9), "'matrix' is");
    expect_face("rect", {0, 0, 1e300, 10}, "'rect' is");
    expect_face("file", "images/../../x.png", "'file' is \"images/../../x.png\"; expected a name inside the faceset");
    expect_face("file", std::string("images/clip_1_0.png\0x", 21), "'file' is \"images/clip_1_0.png\\u0000x\"");

    // Landmarks that the matrix does map: all in one point, one far away.
    const Affine map = {{matrix[0], matrix[1], matrix[2], matrix[3], matrix[4], matrix[5]}};
    const auto expect_landmarks = [&](std::size_t changed, Point to, const std::string& message) {
        nlohmann::json edited = good;
        for (std::size_t i = 0; i < 68; ++i) {
            if (changed < 68 && i != changed) continue;
            const Point mapped = map(to);
            edited["faces"][1]["landmarks_in_frame"][2 * i] = to.x;
            edited["faces"][1]["landmarks_in_frame"][2 * i + 1] = to.y;
            edited["faces"][1]["landmarks"][2 * i] = mapped.x;
            edited["faces"][1]["landmarks"][2 * i + 1] = mapped.y;
        }
        expect(edited.dump(), message);
    };
    expect_landmarks(68, {80, 80}, "'landmarks' is");
    expect_landmarks(40, {1e9, 80}, "'landmarks' is");

    std::string text = good.dump();
    text.replace(text.rfind("\"score\":1.5"), 11, "\"score\":1e999");
    expect(text, "holds a number out of range parsing '1e999'");
    text = good.dump();
    expect(text.replace(text.rfind("{\"checksum\""), 1, "{\"a\":[[}"), "is not valid JSON at byte");
    text = good.dump();
    text.replace(text.find("\"detector\":"), 11, "\"detector\":" + std::string(200'000, '['));
    write_text(file, text);
    BIFRONS_EXPECT_ERROR(load_faceset(folder.path()), data, "faceset.json: is nested more than 32 levels deep");
    text = good.dump();
    write_text(file, text.replace(text.find("\"faces\":["), 9, "\"faces\":[7,"));
    BIFRONS_EXPECT_ERROR(load_faceset(folder.path()), data, "faceset.json: face 0: is not an object");
}

TEST(Faceset, LinksAreNotFollowed)
{
    const Folder folder, elsewhere;
    Faceset set = make_faceset(folder.path(), 1);
    fs::rename(folder / set.faces[0].file, elsewhere / "private.png");
    fs::create_symlink(elsewhere / "private.png", folder / set.faces[0].file);
    BIFRONS_EXPECT_ERROR(load_faceset(folder.path()), data, "face 0: 'file' is");
    fs::remove(folder / set.faces[0].file);
    fs::remove(folder / "images");
    fs::create_directory(elsewhere / "images");
    fs::copy(elsewhere / "private.png", elsewhere.path() / set.faces[0].file);
    fs::create_directory_symlink(elsewhere / "images", folder / "images");
    BIFRONS_EXPECT_ERROR(load_faceset(folder.path()), data, "without links");
}

TEST(Faceset, AHugePictureIsRefusedByItsHeader)
{
    const Folder folder;
    const Faceset set = make_faceset(folder.path(), 1);
    std::string bytes = text_of(folder / set.faces[0].file);
    for (const std::size_t at : {16u, 20u}) bytes.replace(at, 4, std::string("\0\0\xEA\x60", 4)); // 60,000
    write_text(folder / set.faces[0].file, bytes);
    BIFRONS_EXPECT_ERROR(load_face(set, 0), data, "clip_0_0.png: ");
}

TEST(Faceset, TheFileHasAFaceALineAndNobodysFolders)
{
    const Folder folder;
    Faceset set = make_faceset(folder.path(), 3);
    const std::string text = text_of(folder / "faceset.json");
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 9) << text.substr(0, 300);
    EXPECT_NE(text.find("\"faces\":[\n{\"checksum\""), std::string::npos);
    EXPECT_EQ(nlohmann::json::parse(text)["faces"].size(), 3u);

    // As it was written before: on one line, the faces before what they refer to, with a whole path.
    nlohmann::json older = nlohmann::json::parse(text);
    older["sources"][0]["path"] = "/home/anna/clips/clip.mp4";
    older["sources"][0].erase("fingerprints");
    write_text(folder / "faceset.json", older.dump() + "\n");
    set = load_faceset(folder.path());
    EXPECT_EQ(set.faces.size(), 3u);
    EXPECT_EQ(set.sources[0].path, "clip.mp4");
    save_faceset(set);
    EXPECT_EQ(text_of(folder / "faceset.json"), text) << "but for the path";
}

TEST(Faceset, AMissingPictureTakesItsFaceOut)
{
    const Folder folder;
    const Faceset set = make_faceset(folder.path(), 3);
    EXPECT_TRUE(load_faceset(folder.path()).missing.empty());
    fs::remove(folder / set.faces[1].file);
    const Faceset left = load_faceset(folder.path());
    ASSERT_EQ(left.faces.size(), 2u);
    EXPECT_EQ(left.faces[1].frame, 2);
    EXPECT_EQ(left.missing, std::vector<std::string>{set.faces[1].file});
}

TEST(Faceset, LoadingCanBeStopped)
{
    const Folder folder;
    const Faceset set = make_faceset(folder.path(), 3);
    int faces = 0;
    EXPECT_THROW(load_faceset(folder.path(),
                              [&](std::int64_t, std::int64_t) {
                                  if (++faces == 2) throw 5;
                              }),
                 int);
    EXPECT_EQ(faces, 2);
    const std::string manifest = text_of(folder / "faceset.json");
    std::vector<std::int64_t> read;
    parse_faceset(folder.path(), manifest, "", [&](std::int64_t bytes, std::int64_t of) {
        read.push_back(bytes);
        EXPECT_EQ(of, std::int64_t(manifest.size()));
    });
    ASSERT_EQ(read.size(), 3u);
    EXPECT_EQ(read[2], std::int64_t(manifest.rfind("}\n]")) + 1);
    EXPECT_EQ(read[1], std::int64_t(manifest.rfind("},\n")) + 1);
    std::int64_t last = 0;
    load_faces(set, {0, 1, 2}, FaceType::full, 32, {.tick = [&](std::int64_t done) { EXPECT_EQ(done, ++last); }});
    EXPECT_EQ(last, 3);
    EXPECT_THROW(load_faces(set, {0, 1, 2}, FaceType::full, 32, {.tick = [](std::int64_t) { throw 5; }}), int);
}

/// The set as if extraction had added one face after the other.
void add_face(Faceset& set, const FaceRecord& face)
{
    set.faces.push_back(face);
    SourceRecord& source = set.sources[std::size_t(face.source)];
    source.pictures.push_back(str(face.frame, ".png"));
    source.fingerprints.push_back(str("print ", face.frame));
    source.dropped.push_back({face.frame, "other face", 1, {}});
    source.done = face.frame + 1;
    source.counts.faces += 1;
}

TEST(FacesetJournal, WhatWasAppendedIsReadAndTakenUpOnce)
{
    const Folder folder;
    const Faceset all = make_faceset(folder.path(), 4);
    Faceset set = all;
    set.sources[0] = {.name = "clip", .path = "clip", .frames = 4};
    set.faces.clear();
    add_face(set, all.faces[0]);
    save_faceset(set);
    const std::string before = text_of(folder / "faceset.json");

    FacesetJournal journal(set, 0);
    add_face(set, all.faces[1]);
    add_face(set, all.faces[2]);
    journal.append(set);
    const std::string one_line = text_of(folder / "faceset.journal");
    add_face(set, all.faces[3]);
    set.sources[0].complete = true;
    journal.append(set);
    EXPECT_EQ(text_of(folder / "faceset.json"), before) << "is not written again";
    set.sources.push_back({.name = "new", .path = "new"}); // no frame, no line
    FacesetJournal second(set, 1);
    FaceRecord face = all.faces[0];
    face.source = 1;
    add_face(set, face);
    second.append(set);
    const std::string lines = text_of(folder / "faceset.journal");
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 3);
    EXPECT_EQ(one_line.find("\"frame\":0,"), std::string::npos) << "of what is new only";

    Faceset back = load_faceset(folder.path());
    save_faceset(set);
    EXPECT_FALSE(fs::exists(folder / "faceset.journal"));
    const std::string whole = text_of(folder / "faceset.json");
    save_faceset(back);
    EXPECT_EQ(text_of(folder / "faceset.json"), whole) << "the same as if it had been saved whole";

    // Killed after the whole file was written, and while a line was.
    write_text(folder / "faceset.journal", lines);
    save_faceset(load_faceset(folder.path()));
    EXPECT_EQ(text_of(folder / "faceset.json"), whole);
    write_text(folder / "faceset.json", before);
    write_text(folder / "faceset.journal", lines.substr(0, one_line.size() + 100));
    back = load_faceset(folder.path());
    EXPECT_EQ(back.faces.size(), 3u);
    EXPECT_EQ(back.sources[0].done, 3);
    EXPECT_EQ(back.sources[0].pictures, (std::vector<std::string>{"0.png", "1.png", "2.png"}));
    EXPECT_EQ(back.sources[0].dropped.size(), 3u);
}

TEST(FacesetJournal, AWrongLineIsNamed)
{
    const Folder folder;
    Faceset set = make_faceset(folder.path(), 1);
    FacesetJournal journal(set, 0);
    set.sources[0].done = 5;
    journal.append(set);
    const std::string line = text_of(folder / "faceset.journal");
    const auto expect = [&](const std::string& text, const std::string& message) {
        write_text(folder / "faceset.journal", text);
        BIFRONS_EXPECT_ERROR(load_faceset(folder.path()), data, "faceset.journal: line " + message);
    };
    expect("{}\n", "1: has no 'source'");
    expect(line + "x\n", "2: is not valid JSON");
    expect(std::string(100'000, '[') + "\n", "1: is nested");
    nlohmann::json entry = nlohmann::json::parse(line);
    entry["from"] = 3;
    expect(entry.dump() + "\n", "1: 'from' is 3; expected 1");
    entry["from"] = 1;
    entry["source"] = 2;
    expect(entry.dump() + "\n", "1: 'source' is 2; expected 0 to 1");
    entry["source"] = 0;
    entry["faces"] = {7};
    expect(entry.dump() + "\n", "1: face 1: is not an object");
    fs::remove(folder / "faceset.journal");
    fs::create_symlink(folder / "elsewhere", folder / "faceset.journal");
    BIFRONS_EXPECT_ERROR(FacesetJournal(set, 0).append(set), data, "faceset.journal: ");
    EXPECT_FALSE(fs::exists(folder / "elsewhere"));
}

TEST(Faceset, ChangedPicturesAreTold)
{
    const Folder folder;
    Faceset set = make_faceset(folder.path(), 2);
    const fs::path picture = folder / set.faces[0].file;
    bool changed = true;
    load_face(set, 0, &changed);
    EXPECT_FALSE(changed);
    save_image(picture, Image(64, 64, 3), {.existing = Existing::replace});
    EXPECT_EQ(load_face(set, 0, &changed).pixels, Image(64, 64, 3).pixels);
    EXPECT_TRUE(changed);
    EXPECT_EQ(load_faces(set, {1, 0}, FaceType::full, 32).changed, std::vector<std::string>{set.faces[0].file});

    save_image(picture, Image(32, 64, 3), {.existing = Existing::replace});
    BIFRONS_EXPECT_ERROR(load_face(set, 0), data, "expected 64x64");
}

TEST(Faceset, DamagedPicturesCostThemselvesAlone)
{
    const Folder folder;
    Faceset set = make_faceset(folder.path(), 4);
    set.faces[3].pose.yaw = 1; // a group of its own
    const FaceWants wants = {.margin = 2, .eyes_mouth = true, .yaw = true};
    const FaceArrays whole = load_faces(set, {0, 3}, FaceType::full, 24, wants);
    EXPECT_TRUE(whole.damaged.empty());
    test::write_text(folder / set.faces[2].file, "damaged");
    save_image(folder / set.faces[1].file, Image(32, 64, 3), {.existing = Existing::replace});

    const FaceArrays left = load_faces(set, {2, 0, 1, 3}, FaceType::full, 24, wants);
    EXPECT_EQ(left.damaged, (std::vector<std::string>{set.faces[2].file, set.faces[1].file}));
    EXPECT_NE(left.damage.find(set.faces[2].file + ": "), std::string::npos) << left.damage;
    EXPECT_TRUE(left.changed.empty());
    EXPECT_EQ(left.count, 2);
    EXPECT_EQ(left.images, whole.images);
    EXPECT_EQ(left.masks, whole.masks);
    EXPECT_EQ(left.eyes_mouth, whole.eyes_mouth);
    EXPECT_EQ(left.yaw.faces, (std::vector<std::int64_t>{0, 1}));
    EXPECT_EQ(load_faces(set, {2, 1}, FaceType::full, 24).count, 0);
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
