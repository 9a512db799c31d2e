// tests/data/video_time_test.cpp - when frames are shown: joined, late and varying footage, and sound beside it.
#include "tests/data/clips.h"

#include <gtest/gtest.h>

namespace bifrons::data {
namespace {

using test::Folder;
namespace fs = std::filesystem;

constexpr double kFrame = 0.04; // s

// Black with a white frame each second, 0.48 s after it began, and a beep that begins with it.
const std::string kFlashes =
    "color=black:size=64x48:rate=25:duration=3,drawbox=color=white:t=fill:enable='eq(mod(n,25),12)'";
const std::string kBeeps = "aevalsrc='if(between(mod(t,1),0.48,0.56),sin(6283*t),0)':s=44100:d=3";

std::vector<double> flashes(const fs::path& path)
{
    VideoReader reader(path);
    std::vector<double> times;
    for (Image frame; reader.next(frame);)
        if (means(frame)[3] > 128) times.push_back(reader.time_s());
    return times;
}

/// Where sound begins after a fifth of a second of silence.
std::vector<double> beeps(const fs::path& path)
{
    const Output pcm = run({"ffmpeg", "-v", "error", "-i", path.string(), "-map", "0:a:0", "-af",
                            "aresample=8000:async=1:first_pts=0", "-ac", "1", "-f", "s16le", "pipe:1"});
    std::vector<double> times;
    double last = -1;
    for (std::size_t i = 0; i + 1 < pcm.text.size(); i += 2) {
        const int value = std::int16_t(std::uint8_t(pcm.text[i]) | std::uint8_t(pcm.text[i + 1]) << 8);
        if (std::abs(value) < 3000) continue;
        const double time = double(i) / 16000;
        if (time - last > 0.2) times.push_back(time);
        last = time;
    }
    return times;
}

/// Flash and beep together, at these times after the first picture or sound.
void expect_together(const fs::path& path, const std::vector<double>& times)
{
    const std::vector<double> seen = flashes(path), heard = beeps(path);
    ASSERT_EQ(seen.size(), times.size()) << path;
    ASSERT_EQ(heard.size(), times.size()) << path;
    for (std::size_t i = 0; i < times.size(); ++i) {
        EXPECT_NEAR(seen[i], times[i], 0.75 * kFrame) << path << " " << i;
        EXPECT_NEAR(heard[i] - seen[i], 0, kFrame) << path << " " << i;
    }
}

TEST(VideoTime, FramesOfAConstantRateKeepIt)
{
    const Folder folder;
    ffmpeg({"-f", "lavfi", "-i", kFlashes, "-f", "lavfi", "-i", kBeeps, "-pix_fmt", "yuv420p", folder / "in.mp4"});
    for (const char* name : {"out.mp4", "out.mov", "out.mkv"}) {
        copy_clip(folder / "in.mp4", folder / name);
        const VideoInfo info = probe(folder / name);
        EXPECT_EQ(info.frames, 75) << name;
        EXPECT_NEAR(info.format.rate.value(), 25, 1e-9) << name;
        EXPECT_FALSE(info.format.variable_rate) << name;
        expect_together(folder / name, {0.48, 1.48, 2.48});
        EXPECT_NE(ffprobe(folder / name, "format=duration").find("duration=3.0"), std::string::npos) << name;
    }
}

TEST(VideoTime, JoinedRecordingsGoOn)
{
    const Folder folder;
    for (const auto& [ending, codec] : {std::pair{"mpg", "mpeg1video"}, {"ts", "mpeg2video"}}) {
        const fs::path part = folder / str("part.", ending), in = folder / str("in.", ending);
        ffmpeg({"-f", "lavfi", "-i", kFlashes, "-f", "lavfi", "-i", kBeeps, "-c:v", codec, "-bf", "2", "-c:a", "mp2",
                "-shortest", part});
        const auto bytes = read_file(part);
        std::string all(bytes.begin(), bytes.end());
        test::write_text(in, all + all + all);
        const VideoInfo info = probe(in);
        EXPECT_NEAR(info.format.rate.value(), 25, 1e-9) << ending;
        EXPECT_FALSE(info.format.variable_rate) << ending;
        copy_clip(in, folder / "out.mp4", {.existing = Existing::replace});
        EXPECT_NEAR(probe(folder / "out.mp4").format.rate.value(), 25, 0.3) << ending;
        const std::vector<double> seen = flashes(folder / "out.mp4"), heard = beeps(folder / "out.mp4");
        ASSERT_EQ(seen.size(), 9u) << ending;
        ASSERT_EQ(heard.size(), 9u) << ending;
        for (std::size_t i = 0; i < 9; ++i) EXPECT_NEAR(heard[i] - seen[i], 0, kFrame) << ending << " " << i;
        EXPECT_NEAR(seen[8] - seen[0], 8, 0.15) << ending;
    }
}

TEST(VideoTime, JoinedRealClipsKeepTheirRate)
{
    const fs::path faces = test::assets() / "faces" / "grid";
    BIFRONS_NEEDS_ASSET(faces / "pwij3p.mpg");
    const Folder folder;
    std::string all;
    for (const char* name : {"pwij3p.mpg", "swwp2s.mpg"}) {
        const auto bytes = read_file(faces / name);
        all.append(bytes.begin(), bytes.end());
    }
    test::write_text(folder / "in.mpg", all);
    const VideoInfo info = probe(folder / "in.mpg");
    EXPECT_EQ(info.frames, 150);
    EXPECT_NEAR(info.format.rate.value(), 25, 1e-9);
    EXPECT_FALSE(info.format.variable_rate);
    VideoReader reader(folder / "in.mpg");
    for (Image frame; reader.next(frame);) {
    }
    EXPECT_NEAR(reader.time_s(), 149 * kFrame, 0.5 * kFrame);
}

TEST(VideoTime, TheLastFrameLastsAsLongAsTheOthers)
{
    const Folder folder;
    struct Case {
        bool variable;
        double last;
        const char* duration;
    };
    for (const char* name : {"out.mp4", "out.mov"})
        for (const Case& c : {Case{false, 0.08, "duration=0.120000"}, {true, 1, "duration=1.040000"}}) {
            VideoWriter writer(folder / name, {.H = 48, .W = 64, .variable_rate = c.variable},
                               {.existing = Existing::replace, .preset = "ultrafast"});
            for (const double time : {0.0, kFrame, c.last}) writer.write(Image(48, 64, 3), time);
            writer.finish();
            const std::string duration = ffprobe(folder / name, "format=duration");
            EXPECT_NE(duration.find(c.duration), std::string::npos) << name << " " << duration;
        }
}

TEST(VideoTime, LateSoundAndLatePicturesStayLate)
{
    const Folder folder;
    struct Case {
        const char *video, *sound, *name;
        double first_flash;
    };
    for (const Case& c : {Case{"0", "0.72", "sound.mp4", 0.48},
                          {"0.72", "0", "video.mp4", 1.2},
                          {"0.72", "0", "video.mkv", 1.2},
                          {"0.72", "0", "video.mpg", 1.2}}) {
        const fs::path in = folder / c.name;
        ffmpeg({"-itsoffset", c.video, "-f", "lavfi", "-i", kFlashes, "-itsoffset", c.sound, "-f", "lavfi", "-i",
                kBeeps, in});
        const std::vector<double> heard_before = beeps(in);
        for (const char* name : {"out.mp4", "out.mkv"}) {
            copy_clip(in, folder / name, {.existing = Existing::replace});
            const std::vector<double> seen = flashes(folder / name), heard = beeps(folder / name);
            ASSERT_EQ(seen.size(), 3u) << c.name << " " << name;
            ASSERT_EQ(heard.size(), 3u) << c.name << " " << name;
            const double offset = std::atof(c.sound) - std::atof(c.video);
            for (std::size_t i = 0; i < 3; ++i) {
                EXPECT_NEAR(seen[i], c.first_flash + double(i), 0.75 * kFrame) << c.name << " " << name;
                EXPECT_NEAR(heard[i] - seen[i], offset, kFrame) << c.name << " " << name;
            }
        }
    }
}

TEST(VideoTime, AnEditListIsFollowed)
{
    const Folder folder;
    ffmpeg({"-f", "lavfi", "-i", kFlashes, "-f", "lavfi", "-i", kBeeps, "-g", "75", "-pix_fmt", "yuv420p",
            folder / "whole.mp4"});
    // Copied from the middle of a group of pictures: what comes before is in the file and is not shown.
    ffmpeg({"-ss", "0.8", "-i", folder / "whole.mp4", "-c", "copy", folder / "in.mp4"});
    copy_clip(folder / "in.mp4", folder / "out.mp4");
    EXPECT_NEAR(double(frames_of(folder / "out.mp4").size()), 55, 1);
    expect_together(folder / "out.mp4", {0.68, 1.68});
}

TEST(VideoTime, AVariableRateKeepsItsTimes)
{
    const Folder folder;
    const std::string pause = ",setpts='if(lt(N,30),PTS,PTS+1.2/TB)'";
    ffmpeg({"-f", "lavfi", "-i", kFlashes + pause, "-f", "lavfi", "-i", "sine=d=4", "-fps_mode", "vfr",
            "-enc_time_base", "1:1000", folder / "in.mkv"});
    const VideoInfo info = probe(folder / "in.mkv");
    EXPECT_TRUE(info.format.variable_rate);
    EXPECT_NEAR(info.format.rate.value(), 25, 0.01);
    const std::vector<double> before = flashes(folder / "in.mkv");
    ASSERT_EQ(before.size(), 3u);
    EXPECT_NEAR(before[1] - before[0], 2.2, 0.002); // the pause lies between
    for (const char* name : {"out.mp4", "out.mkv"}) {
        copy_clip(folder / "in.mkv", folder / name);
        const std::vector<double> after = flashes(folder / name);
        ASSERT_EQ(after.size(), 3u) << name;
        for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(after[i], before[i], 0.002) << name;
        EXPECT_EQ(probe(folder / name).frames, 75) << name;
    }
    copy_clip(folder / "in.mkv", folder / "cfr.mp4", {.constant_rate = true});
    EXPECT_FALSE(probe(folder / "cfr.mp4").format.variable_rate);
    EXPECT_NEAR(double(probe(folder / "cfr.mp4").frames), 75 + 1.2 * 25, 1);
    EXPECT_NEAR(flashes(folder / "cfr.mp4").back(), before.back(), kFrame);
}

TEST(VideoTime, JitterWithinAQuarterOfAFrameIsAConstantRate)
{
    const Folder folder;
    ffmpeg({"-f", "lavfi", "-i", kFlashes + ",settb=1/1000,setpts='PTS+4*mod(N,3)'", "-fps_mode", "passthrough",
            "-enc_time_base", "1:1000", folder / "in.mkv"});
    const VideoInfo info = probe(folder / "in.mkv");
    EXPECT_FALSE(info.format.variable_rate);
    EXPECT_NEAR(info.format.rate.value(), 25, 0.05);
}

} // namespace
} // namespace bifrons::data
