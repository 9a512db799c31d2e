// tests/data/video_damage_test.cpp - damaged video: what can be decoded is used, and what is broken is told.
#include "tests/data/clips.h"

#include <gtest/gtest.h>

namespace bifrons::data {
namespace {

using test::Folder;
using test::write_text;
namespace fs = std::filesystem;

std::string bytes_of(const fs::path& path)
{
    const auto bytes = read_file(path);
    return {bytes.begin(), bytes.end()};
}

struct Read {
    std::int64_t frames = 0;
    std::vector<std::string> remarks = {};
};

Read read_all(const fs::path& path)
{
    VideoReader reader(path);
    Read all;
    for (Image frame; reader.next(frame);) ++all.frames;
    Image none;
    EXPECT_FALSE(reader.next(none)); // and tells nothing twice
    all.remarks = reader.remarks();
    return all;
}

TEST(VideoDamage, HolesAreToldWithTheirTime)
{
    const Folder folder;
    make_clip(folder / "good.mp4", "320x240", 75, {"-pix_fmt", "yuv420p", "-g", "25", "-bf", "0"}, false);
    EXPECT_TRUE(read_all(folder / "good.mp4").remarks.empty());
    std::string bytes = bytes_of(folder / "good.mp4");
    // The second of three groups of pictures: the 26th to 50th frame.
    const std::size_t from = bytes.find("mdat"), size = bytes.find("moov") - from;
    for (std::size_t i = 0; i < 1500; ++i) bytes[from + size * 45 / 100 + i] = char(i * i * 7 + i * 37);
    write_text(folder / "holes.mp4", bytes);
    const Read read = read_all(folder / "holes.mp4");
    EXPECT_GE(read.frames, 65);
    EXPECT_LE(read.frames, 75);
    ASSERT_EQ(read.remarks.size(), 1u);
    EXPECT_EQ(read.remarks[0].rfind("is damaged: ffmpeg complained ", 0), 0u) << read.remarks[0];
    double from_s = 0, to_s = 0;
    int complaints = 0;
    ASSERT_EQ(std::sscanf(read.remarks[0].c_str(), "is damaged: ffmpeg complained %d times, from about 0:%lf to 0:%lf",
                          &complaints, &from_s, &to_s),
              3)
        << read.remarks[0];
    EXPECT_GE(complaints, 1);
    // Damaged from 1.0 s on; ffmpeg 5 decodes a few frames ahead, newer ones some twenty.
    EXPECT_GE(from_s, 0.1) << read.remarks[0];
    EXPECT_LE(from_s, 1.5) << read.remarks[0];
    EXPECT_LE(to_s, 2.5) << read.remarks[0];
    const auto strictly = [&] {
        VideoReader reader(folder / "holes.mp4", {.strict = true});
        for (Image frame; reader.next(frame);) {
        }
    };
    BIFRONS_EXPECT_ERROR(strictly(), data, "holes.mp4: is damaged at about 0:0");
}

TEST(VideoDamage, WhatIsLeftOfACutFileIsUsed)
{
    const Folder folder;
    make_clip(folder / "fast.mp4", "320x240", 60, {"-pix_fmt", "yuv420p", "-movflags", "+faststart"}, false);
    make_clip(folder / "parts.mp4", "320x240", 60,
              {"-pix_fmt", "yuv420p", "-g", "10", "-movflags", "+frag_keyframe+empty_moov"}, false);
    for (const char* name : {"fast.mp4", "parts.mp4"}) {
        const std::string bytes = bytes_of(folder / name);
        write_text(folder / "cut.mp4", bytes.substr(0, bytes.size() * 6 / 10));
        const Read read = read_all(folder / "cut.mp4");
        EXPECT_GE(read.frames, 15) << name;
        EXPECT_LE(read.frames, 50) << name;
        EXPECT_FALSE(read.remarks.empty()) << name;
        VideoOptions options;
        EXPECT_NO_THROW(copy_clip(folder / "cut.mp4", folder / "out.mkv", {.existing = Existing::replace})) << name;
        EXPECT_EQ(probe(folder / "out.mkv").frames, read.frames) << name;
    }
}

} // namespace
} // namespace bifrons::data
