// tests/data/frames_test.cpp - videos, folders and single pictures as frames.
#include "data/media/frames.h"

#include "tests/data/clips.h"
#include "tests/data/picture_bytes.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace bifrons::data {
namespace {

using test::Folder;
namespace fs = std::filesystem;

Image grey(std::uint8_t level)
{
    Image image(8, 6, 3);
    std::fill(image.pixels.begin(), image.pixels.end(), level);
    return image;
}

TEST(Frames, NamesCompareAsPeopleCount)
{
    EXPECT_TRUE(natural_less("a2", "a10"));
    EXPECT_FALSE(natural_less("a10", "a2"));
    EXPECT_TRUE(natural_less("a", "a1"));
    EXPECT_TRUE(natural_less("a1b2", "a1b10"));
    EXPECT_TRUE(natural_less("a09", "a10"));
    EXPECT_TRUE(natural_less("a01", "a1") != natural_less("a1", "a01"));
    EXPECT_FALSE(natural_less("a", "a"));
    EXPECT_TRUE(natural_less("x99999999999999999999998", "x99999999999999999999999"));
}

TEST(Frames, AFolderIsReadInNaturalOrderAndWrittenByName)
{
    const Folder folder;
    fs::create_directory(folder / "in");
    for (int i : {10, 2, 1}) save_image(folder / "in" / str("f", i, ".png"), grey(std::uint8_t(i)));
    test::write_text(folder / "in" / "notes.txt", "not a picture");
    fs::create_symlink("loop.png", folder / "in" / "loop.png");
    EXPECT_EQ(pictures_in(folder / "in").left_out, "1 .txt, 1 special files");
    const auto source = open_frames(folder / "in");
    EXPECT_EQ(source->count(), 3);
    EXPECT_EQ(source->video(), nullptr);
    const auto sink = create_frames(folder / "out", {});
    std::vector<std::string> names;
    for (Frame frame; source->next(frame);) {
        EXPECT_EQ(frame.index, std::int64_t(names.size()));
        names.push_back(frame.name);
        sink->write(frame);
    }
    EXPECT_EQ(sink->finish().sound, "none");
    EXPECT_EQ(names, (std::vector<std::string>{"f1", "f2", "f10"}));
    EXPECT_EQ(load_image(folder / "out" / "f10.png").pixels, grey(10).pixels);
    BIFRONS_EXPECT_ERROR(create_frames(folder / "out", {})->write({0, "f2", grey(1)}), usage, "--overwrite");
}

TEST(Frames, PicturesOfOneNameAreToldApartBeforeOneReplacesTheOther)
{
    const Folder folder;
    for (const char* name : {"a.png", "a.b.png", "b.png", "a.jpg"}) save_image(folder / name, grey(1));
    const auto source = open_frames(folder.path());
    EXPECT_EQ(source->count(), 4);
    BIFRONS_EXPECT_ERROR(source->check_names(), usage,
                         "a.png: has the same name as a.jpg, and both would become a.png");
    fs::rename(folder / "a.jpg", folder / "c.jpg");
    EXPECT_NO_THROW(open_frames(folder.path())->check_names());
    EXPECT_NO_THROW(open_frames(folder / "a.png")->check_names());
}

TEST(Frames, APictureThatCannotBeReadIsLeftOutAndNamed)
{
    const Folder folder;
    for (const char* name : {"a.png", "c.png"}) save_image(folder / name, grey(std::uint8_t(name[0])));
    for (const char* name : {"b.png", "d.png"}) test::write_text(folder / name, "no picture");
    const auto source = open_frames(folder.path());
    Frame frame;
    ASSERT_TRUE(source->next(frame));
    EXPECT_TRUE(source->remarks().empty());
    ASSERT_TRUE(source->next(frame));
    EXPECT_EQ(frame.name, "c");
    EXPECT_EQ(frame.index, 1);
    EXPECT_EQ(frame.file, "c.png");
    EXPECT_EQ(frame.image.pixels, grey('c').pixels);
    EXPECT_FALSE(source->next(frame));
    const std::vector<std::string> remarks = source->remarks();
    ASSERT_EQ(remarks.size(), 3u);
    EXPECT_NE(remarks[0].find("b.png: "), std::string::npos);
    EXPECT_NE(remarks[1].find("d.png: "), std::string::npos);
    EXPECT_EQ(remarks[2], "2 of 4 pictures could not be read and were left out");
    EXPECT_FALSE(source->next(frame));
    EXPECT_TRUE(source->remarks().empty()) << "told once";
}

TEST(Frames, WhatAFolderHoldsBesidePicturesIsCountedByKind)
{
    const Folder folder;
    save_image(folder / "a.PNG", grey(1));
    for (const char* name : {"b.gif", "c.GIF", "notes.txt", "README", "._a.jpg", ".hidden.png"})
        test::write_text(folder / name, "x");
    fs::create_directory(folder / "more");
    const auto source = open_frames(folder.path());
    EXPECT_EQ(source->count(), 1);
    const std::vector<std::string> remarks = source->remarks();
    ASSERT_EQ(remarks.size(), 1u);
    EXPECT_EQ(remarks[0], "left out, beside 1 pictures: 2 .gif, 1 .txt, 1 folders, 2 hidden, 1 without an ending");
    fs::remove(folder / "a.PNG");
    BIFRONS_EXPECT_ERROR(open_frames(folder.path()), data, "it holds 2 .gif");
}

TEST(Frames, PicturesOfOneSizeAreAskedForBeforeAVideoIsMade)
{
    const Folder folder;
    for (const char* name : {"a.png", "c.png"}) save_image(folder / name, grey(1));
    test::write_text(folder / "b.png", "left out later");
    EXPECT_NO_THROW(open_frames(folder.path())->check_sizes());
    save_image(folder / "d.png", Image(8, 7, 3));
    BIFRONS_EXPECT_ERROR(open_frames(folder.path())->check_sizes(), usage, "d.png: is 7x8, and a.png is 6x8");
}

TEST(Frames, AnimatedPicturesAreClips)
{
    const Folder folder;
    const auto make = [&](const char* name, const std::vector<std::string>& options) {
        make_clip(folder / name, "32x24", 5, options, false);
    };
    make("a.gif", {});
    make("a.png", {"-f", "apng"});
    make("b.webp", {"-frames:v", "1"});
    for (const char* name : {"a.gif", "a.png"}) {
        const auto source = open_frames(folder / name);
        EXPECT_NE(source->video(), nullptr) << name;
        EXPECT_EQ(source->count(), 5) << name;
    }
    const auto source = open_frames(folder / "b.webp");
    EXPECT_EQ(source->video(), nullptr);
    Frame frame;
    ASSERT_TRUE(source->next(frame));
    EXPECT_EQ(frame.image.W, 32);
}

TEST(Frames, WhatAPicturesFileHoldsBesideItsPixelsGoesAlong)
{
    const Folder folder;
    fs::create_directory(folder / "in");
    test::write_bytes(folder / "in" / "a.png", test::png(2, 1, 8, 6, {1, 2, 3, 128, 4, 5, 6, 255}));
    const auto source = open_frames(folder / "in");
    const auto sink = create_frames(folder / "out", {});
    Frame frame;
    ASSERT_TRUE(source->next(frame));
    sink->write(frame);
    EXPECT_EQ(load_picture(folder / "out" / "a.png").extras.alpha.pixels, (test::Bytes{128, 255}));
}

TEST(Frames, OnePictureInOnePictureOut)
{
    const Folder folder;
    save_image(folder / "a.png", grey(77));
    Frame frame;
    const auto source = open_frames(folder / "a.png");
    ASSERT_TRUE(source->next(frame));
    EXPECT_EQ(frame.name, "a");
    const auto sink = create_frames(folder / "b.png", {});
    sink->write(frame);
    EXPECT_FALSE(source->next(frame));
    EXPECT_EQ(load_image(folder / "b.png").pixels, grey(77).pixels);
    BIFRONS_EXPECT_ERROR(sink->write({1, "c", grey(1)}), usage, "one picture");
}

TEST(Frames, VideoGoesThrough)
{
    const Folder folder;
    const auto sink = create_frames(folder / "v.mkv", {.format = {.H = 8, .W = 6}, .video = {.crf = 0}});
    for (int i = 0; i < 4; ++i) sink->write({i, "", grey(std::uint8_t(40 * i + 30))});
    sink->finish();
    const auto source = open_frames(folder / "v.mkv");
    ASSERT_NE(source->video(), nullptr);
    EXPECT_EQ(source->count(), 4);
    Frame frame;
    for (int i = 0; i < 4; ++i) {
        ASSERT_TRUE(source->next(frame));
        EXPECT_EQ(frame.name, str("v_00000", i));
        EXPECT_NEAR(frame.image.pixels[0], 40 * i + 30, 1);
    }
    EXPECT_FALSE(source->next(frame));
}

TEST(Frames, BadPlacesSayWhatTheyAre)
{
    const Folder folder;
    BIFRONS_EXPECT_ERROR(open_frames(folder / "none"), data, "does not exist");
    BIFRONS_EXPECT_ERROR(open_frames(folder.path()), data, "holds no pictures");
    test::write_text(folder / "file", "x");
    BIFRONS_EXPECT_ERROR(create_frames(folder / "file", {}), data, "not a folder");
    BIFRONS_EXPECT_ERROR(create_frames(folder / "no" / "out", {}), data, "not a folder");
    BIFRONS_EXPECT_ERROR(open_frames(folder / "file"), data, "cannot be read as video");
    BIFRONS_EXPECT_ERROR(open_frames("/dev/null"), data, "not a regular file");
}

} // namespace
} // namespace bifrons::data
