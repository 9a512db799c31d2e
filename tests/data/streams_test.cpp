// tests/data/streams_test.cpp - what a video carries beside its pictures arrives, or is named.
#include "tests/data/clips.h"

#include <gtest/gtest.h>

namespace bifrons::data {
namespace {

using test::Folder;
using test::write_text;
namespace fs = std::filesystem;

/// Two languages of sound, subtitles, two chapters, a cover and a timecode.
void make_rich_clip(const Folder& folder, const fs::path& path)
{
    write_text(folder / "words.srt", "1\n00:00:00,100 --> 00:00:00,900\nhello\n");
    write_text(folder / "chapters.txt", ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=one\n"
                                        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=500\nEND=1000\ntitle=two\n");
    ffmpeg({"-f", "lavfi", "-i", "color=red:size=32x32", "-frames:v", "1", folder / "cover.png"});
    ffmpeg({"-f",
            "lavfi",
            "-i",
            "testsrc=rate=25:size=64x48:duration=1",
            "-f",
            "lavfi",
            "-i",
            "sine=d=1",
            "-f",
            "lavfi",
            "-i",
            "sine=880:d=1",
            "-i",
            folder / "words.srt",
            "-i",
            folder / "chapters.txt",
            "-i",
            folder / "cover.png",
            "-map",
            "0",
            "-map",
            "1",
            "-map",
            "2",
            "-map",
            "3",
            "-map",
            "5",
            "-map_chapters",
            "4",
            "-map_metadata",
            "4",
            "-pix_fmt:v:0",
            "yuv420p",
            "-c:v:1",
            "copy",
            "-c:a",
            "aac",
            "-c:s",
            "mov_text",
            "-disposition:v:1",
            "attached_pic",
            "-metadata:s:a:0",
            "language=eng",
            "-metadata:s:a:1",
            "language=deu",
            "-metadata:s:s:0",
            "language=fra",
            "-metadata:s:v:0",
            "timecode=10:00:00:00",
            path});
}

std::vector<std::string> languages(const fs::path& path, StreamKind kind)
{
    std::vector<std::string> words;
    for (const Stream& stream : probe(path).others)
        if (stream.kind == kind) words.push_back(stream.language);
    return words;
}

TEST(Streams, LanguagesSubtitlesChaptersCoverAndTimecodeAreKept)
{
    const Folder folder;
    make_rich_clip(folder, folder / "in.mp4");
    using Words = std::vector<std::string>;
    for (const char* name : {"out.mp4", "out.mov", "out.mkv"}) {
        const Carried carried = copy_clip(folder / "in.mp4", folder / name);
        const bool mov = std::string(name) == "out.mov";
        EXPECT_EQ(carried.sound, "copied") << name;
        EXPECT_EQ(carried.lost.size(), mov ? 1u : 0u) << name;
        const VideoInfo info = probe(folder / name);
        EXPECT_EQ(info.codecs(StreamKind::sound), (Words{"aac", "aac"})) << name;
        EXPECT_EQ(languages(folder / name, StreamKind::sound), (Words{"eng", mov ? "ger" : "deu"})) << name;
        EXPECT_EQ(languages(folder / name, StreamKind::subtitles), (Words{"fra"})) << name;
        EXPECT_EQ(info.codecs(StreamKind::cover), mov ? Words{} : Words{"png"}) << name;
        EXPECT_EQ(info.chapters, 2) << name;
        EXPECT_EQ(info.timecode, "10:00:00:00") << name;
        EXPECT_EQ(info.frames, 25) << name;
    }
    const Carried carried = copy_clip(folder / "in.mp4", folder / "named.mov");
    EXPECT_EQ(carried.kept, (Words{"sound 1 (eng, aac)", "sound 2 (deu, aac)", "subtitles 1 (fra, mov_text)",
                                   "2 chapters", "timecode 10:00:00:00"}));
    EXPECT_EQ(carried.lost, (Words{"cover picture 1 (png): a file of the format mov cannot hold it"}));
    // Again, out of Matroska.
    EXPECT_TRUE(copy_clip(folder / "out.mkv", folder / "again.mkv").lost.empty());
    EXPECT_EQ(probe(folder / "again.mkv").codecs(StreamKind::cover), (Words{"png"}));
    EXPECT_EQ(probe(folder / "again.mkv").codecs(StreamKind::subtitles), (Words{"subrip"}));
}

TEST(Streams, OneUnknownSoundTrackIsLostAlone)
{
    const Folder folder;
    ffmpeg({"-f",
            "lavfi",
            "-i",
            "testsrc=rate=25:size=64x48:duration=1",
            "-f",
            "lavfi",
            "-i",
            "sine=d=1",
            "-f",
            "lavfi",
            "-i",
            "sine=880:d=1",
            "-map",
            "0",
            "-map",
            "1",
            "-map",
            "2",
            "-c:a:0",
            "aac",
            "-c:a:1",
            "flac",
            "-metadata:s:a:1",
            "language=deu",
            folder / "two.mkv"});
    auto bytes = read_file(folder / "two.mkv");
    std::string text(bytes.begin(), bytes.end());
    write_text(folder / "in.mkv", text.replace(text.find("A_FLAC"), 6, "A_WHAT"));
    for (const char* name : {"out.mp4", "out.mkv"}) {
        const Carried carried = copy_clip(folder / "in.mkv", folder / name);
        EXPECT_EQ(carried.sound, "copied") << name;
        EXPECT_EQ(carried.lost, std::vector<std::string>{"sound 2 (deu, codec unknown): this ffmpeg does not know it"})
            << name;
        EXPECT_EQ(probe(folder / name).codecs(StreamKind::sound), std::vector<std::string>{"aac"}) << name;
    }
}

TEST(Streams, OneEmptySoundTrackIsLostAlone)
{
    const Folder folder;
    ffmpeg({"-f",
            "lavfi",
            "-i",
            "testsrc=rate=25:size=64x48:duration=1",
            "-f",
            "lavfi",
            "-i",
            "sine=d=1",
            "-f",
            "lavfi",
            "-i",
            "sine=880:d=1",
            "-map",
            "0",
            "-map",
            "1",
            "-map",
            "2",
            "-c:a",
            "aac",
            "-bsf:a:1",
            "noise=drop=1",
            folder / "in.mkv"});
    ASSERT_EQ(probe(folder / "in.mkv").codecs(StreamKind::sound).size(), 2u);
    for (const char* name : {"out.mp4", "out.mkv"}) {
        const Carried carried = copy_clip(folder / "in.mkv", folder / name);
        EXPECT_EQ(carried.sound, "copied") << name;
        ASSERT_EQ(carried.lost.size(), 1u) << name;
        EXPECT_EQ(carried.lost[0].rfind("sound 2 (aac): ", 0), 0u) << carried.lost[0];
        EXPECT_EQ(probe(folder / name).codecs(StreamKind::sound).size(), 1u) << name;
    }
}

TEST(Streams, WhatTheFormatCannotHoldIsNamed)
{
    const Folder folder;
    write_text(folder / "font.ttf", "not really a font");
    ffmpeg({"-f", "lavfi", "-i", "testsrc=rate=25:size=64x48:duration=1", "-f", "lavfi", "-i",
            "testsrc=rate=25:size=32x32:duration=1", "-map", "0", "-map", "1", "-attach", folder / "font.ttf",
            "-metadata:s:t:0", "mimetype=application/x-truetype-font", folder / "in.mkv"});
    const Carried mp4 = copy_clip(folder / "in.mkv", folder / "out.mp4");
    ASSERT_EQ(mp4.lost.size(), 2u);
    EXPECT_EQ(mp4.lost[0], "further video 1 (h264): only the first video is worked on");
    EXPECT_EQ(mp4.lost[1], "attachment 1 (ttf): a file of the format mp4 cannot hold it");
    const Carried mkv = copy_clip(folder / "in.mkv", folder / "out.mkv");
    EXPECT_EQ(mkv.kept, std::vector<std::string>{"attachment 1 (ttf)"});
    EXPECT_EQ(mkv.lost.size(), 1u);
}

TEST(Streams, ATimecodeThatDoesNotFitTheRateIsNamed)
{
    const Folder folder;
    // Drop-frame counting exists at 30000/1001 frames a second only.
    make_clip(folder / "in.mkv", "64x48", 10, {"-metadata:s:v:0", "timecode=10:00:00;00"});
    const Carried carried = copy_clip(folder / "in.mkv", folder / "out.mp4");
    EXPECT_EQ(carried.sound, "aac");
    EXPECT_EQ(carried.lost, std::vector<std::string>{"timecode 10:00:00;00: it does not fit the frame rate"});
}

} // namespace
} // namespace bifrons::data
