// tests/data/video_picture_test.cpp - colours, shape of pixels, fields, codecs and sizes on the way through.
#include "data/media/frames.h"
#include "tests/data/clips.h"

#include <gtest/gtest.h>

namespace bifrons::data {
namespace {

using test::Folder;
namespace fs = std::filesystem;

TEST(VideoPicture, NamesOfColoursAreThoseThatFfmpegTakes)
{
    std::vector<std::string> dropped;
    const ColorTags tags =
        known_tags({.range = "tv", .matrix = "bt709", .primaries = "xyz", .transfer = "gamma28"}, &dropped);
    EXPECT_EQ(tags.transfer, "bt470bg");
    EXPECT_EQ(known_tags({.transfer = "gamma22"}).transfer, "bt470m");
    EXPECT_EQ(tags.matrix, "bt709");
    EXPECT_EQ(tags.primaries, "");
    EXPECT_EQ(dropped, std::vector<std::string>{"xyz"});
}

TEST(VideoPicture, GammaTagsAreKept)
{
    const Folder folder;
    for (const char* name : {"bt470bg", "bt470m"}) { // ffprobe calls the transfers gamma28 and gamma22
        make_clip(folder / "in.mp4", "64x48", 3,
                  {"-pix_fmt", "yuv420p", "-vf",
                   str("setparams=color_primaries=", name, ":color_trc=", name, ":colorspace=smpte170m")});
        copy_clip(folder / "in.mp4", folder / "out.mp4", {.existing = Existing::replace});
        EXPECT_EQ(probe(folder / "in.mp4").format.tags.transfer, name);
        EXPECT_EQ(probe(folder / "out.mp4").format.tags.transfer, name);
        EXPECT_EQ(probe(folder / "out.mp4").format.tags.primaries, name);
    }
}

// RGB(200, 40, 90) in BT.601: Y = 16 + 219/255 * (0.299*200 + 0.587*40 + 0.114*90) = 96.3.
TEST(VideoPicture, RgbFootageBecomesTaggedYuvOfTheSameColour)
{
    const Folder folder;
    const std::string patch = "color=0xC8285A:size=64x48:rate=25:duration=0.2,format=gbrp";
    ffmpeg({"-f", "lavfi", "-i", patch, "-c:v", "libx264rgb", "-crf", "0", folder / "a.mp4"});
    ffmpeg({"-f", "lavfi", "-i", patch, "-c:v", "ffv1", "-pix_fmt", "bgr0", folder / "b.mkv"});
    for (const char* name : {"a.mp4", "b.mkv"}) {
        copy_clip(folder / name, folder / "out.mp4", {.existing = Existing::replace, .crf = 0});
        const VideoInfo info = probe(folder / "out.mp4");
        EXPECT_EQ(info.pixel_format, "yuv444p") << name;
        EXPECT_EQ(info.format.tags.matrix, "smpte170m") << name;
        EXPECT_EQ(info.format.tags.range, "tv") << name;
        const Output raw = run({"ffmpeg", "-v", "error", "-i", folder / "out.mp4", "-f", "rawvideo", "pipe:1"});
        EXPECT_NEAR(std::uint8_t(raw.text.at(0)), 96.3, 1) << name;
        const auto back = means(frames_of(folder / "out.mp4").at(0));
        EXPECT_NEAR(back[0], 90, 2) << name;
        EXPECT_NEAR(back[1], 40, 2) << name;
        EXPECT_NEAR(back[2], 200, 2) << name;
    }
}

TEST(VideoPicture, CodecsAndChroma)
{
    const Folder folder;
    struct Case {
        const char *in, *out, *codec, *pixels, *expected_codec, *expected;
    };
    for (const Case& c : {Case{"yuv420p", "1.mp4", "x264", "auto", "h264", "yuv420p"},
                          {"yuv422p", "2.mp4", "x264", "auto", "h264", "yuv422p"},
                          {"yuv444p", "3.mkv", "x264", "auto", "h264", "yuv444p"},
                          {"yuv444p", "4.mp4", "x264", "yuv420p", "h264", "yuv420p"},
                          {"yuv420p", "5.mp4", "x265", "auto", "hevc", "yuv420p"},
                          {"yuv422p", "6.mov", "prores", "auto", "prores", "yuv422p10le"},
                          {"yuv420p", "7.mkv", "ffv1", "auto", "ffv1", "yuv420p"},
                          {"yuv420p", "8.mp4", "x264", "yuv420p10le", "h264", "yuv420p10le"}}) {
        ffmpeg({"-f", "lavfi", "-i", "testsrc=rate=25:size=64x48:duration=0.2", "-c:v", "ffv1", "-pix_fmt", c.in,
                folder / "in.mkv"});
        copy_clip(folder / "in.mkv", folder / c.out, {.codec = c.codec, .pixels = c.pixels});
        const VideoInfo info = probe(folder / c.out);
        EXPECT_EQ(info.codec, c.expected_codec) << c.out;
        EXPECT_EQ(info.pixel_format, c.expected) << c.out;
        EXPECT_EQ(info.frames, 5) << c.out;
    }
}

TEST(VideoPicture, SixteenBitsBecomeEight)
{
    DeepImage deep(1, 2, 3);
    deep.pixels = {1000, 1000, 65535, 0, 300, 128};
    const Image image = to_bytes(deep); // 1000/257 = 3.9
    EXPECT_EQ(image.pixels, (std::vector<std::uint8_t>{4, 4, 255, 0, 1, 0}));
    EXPECT_EQ(to_bytes(to_deep(image)).pixels, image.pixels);
}

TEST(VideoPicture, AlphaIsWritten)
{
    const Folder folder;
    Image frame(16, 64, 4);
    for (std::int64_t y = 0; y < frame.H; ++y)
        for (std::int64_t x = 0; x < frame.W; ++x) {
            const std::uint8_t bgra[4] = {40, 90, 200, std::uint8_t(4 * x)};
            std::copy_n(bgra, 4, frame.at(y, x));
        }
    for (const auto& [name, codec, bits] : {std::tuple{"a.mov", "prores", 8}, {"a.mkv", "ffv1", 10}}) {
        VideoWriter writer(folder / name, {.H = 16, .W = 64, .bits = bits, .alpha = true}, {.codec = codec});
        bits == 8 ? writer.write(frame) : writer.write(to_deep(frame));
        writer.finish();
        const Output raw = run(
            {"ffmpeg", "-v", "error", "-i", (folder / name).string(), "-f", "rawvideo", "-pix_fmt", "bgra", "pipe:1"});
        ASSERT_EQ(raw.text.size(), frame.pixels.size()) << name;
        for (std::size_t i = 0; i < frame.pixels.size(); ++i)
            ASSERT_NEAR(std::uint8_t(raw.text[i]), frame.pixels[i], 3) << name << " " << i;
    }
    try {
        VideoWriter(folder / "a.mp4", {.H = 16, .W = 64, .alpha = true}, {});
        FAIL() << "x264 holds no alpha";
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::usage);
        EXPECT_NE(std::string(e.what()).find("expected --codec prores (.mov) or ffv1 (.mkv)"), std::string::npos)
            << e.what();
    }
}

/// Luma of the first frame, of 10 bits.
std::vector<int> luma(const fs::path& path, std::size_t pixels)
{
    const Output raw = run({"ffmpeg", "-v", "error", "-i", path.string(), "-f", "rawvideo", "pipe:1"});
    std::vector<int> values;
    for (std::size_t i = 0; i < pixels && 2 * i + 1 < raw.text.size(); ++i)
        values.push_back(std::uint8_t(raw.text[2 * i]) | std::uint8_t(raw.text[2 * i + 1]) << 8);
    return values;
}

TEST(VideoPicture, TenBitsComeThrough)
{
    const Folder folder;
    ffmpeg({"-f", "lavfi", "-i",
            "color=size=256x32:rate=25:duration=0.08,format=yuv420p10le,geq=lum='200+2*X+mod(Y,2)':cb=512:cr=512",
            "-c:v", "ffv1", folder / "in.mkv"});
    const auto source = open_frames(folder / "in.mkv", {.deep = true});
    ASSERT_EQ(source->video()->format.bits, 10);
    const auto sink =
        create_frames(folder / "out.mkv", {.format = source->video()->format, .video = {.codec = "ffv1"}});
    for (Frame frame; source->next(frame);) {
        for (std::int64_t y = 0; y < 16; ++y) // the upper half becomes darker by 10 of 255
            for (std::int64_t i = 0; i < 3 * frame.deep.W; ++i) frame.deep.at(y, 0)[i] -= 10 * 257;
        sink->write(frame);
    }
    sink->finish();
    EXPECT_EQ(probe(folder / "out.mkv").pixel_format, "yuv420p10le");
    const std::vector<int> before = luma(folder / "in.mkv", 256 * 32), after = luma(folder / "out.mkv", 256 * 32);
    ASSERT_EQ(before.size(), 256u * 32);
    ASSERT_EQ(after.size(), before.size());
    const double darker = 10 * 876.0 / 255; // luma spans 876 of 1024 levels
    for (std::size_t i = 0; i < after.size(); ++i) {
        const bool upper = i < 256 * 16;
        ASSERT_NEAR(after[i], before[i] - (upper ? darker : 0), 1) << i;
    }
    for (const char* codec : {"x264", "x265"}) {
        VideoWriter writer(folder / str(codec, ".mp4"), {.H = 48, .W = 64, .bits = 10}, {.codec = codec});
        writer.write(Image(48, 64, 3));
        writer.finish();
        EXPECT_EQ(probe(folder / str(codec, ".mp4")).pixel_format, "yuv420p10le") << codec;
    }
}

TEST(VideoPicture, WhatFfmpegCannotWriteIsSaidBeforeWorkBegins)
{
    const Folder folder;
    const VideoFormat format = {.H = 48, .W = 64};
    BIFRONS_EXPECT_ERROR(VideoWriter(folder / "a.mov", format, {.codec = "prores", .pixels = "yuv420p"}), failed,
                         "ffmpeg cannot write prores with yuv420p here");
    BIFRONS_EXPECT_ERROR(VideoWriter(folder / "a.mp4", format, {.codec = "prores"}), failed,
                         "ffmpeg cannot write prores with yuv422p10le here");
    BIFRONS_EXPECT_ERROR(VideoWriter(folder / "a.mp4", format, {.codec = "vp9"}), usage, "unknown codec \"vp9\"");
    EXPECT_EQ(test::entries(folder.path()), 0);
}

TEST(VideoPicture, OddSizesBecomeEvenByRepeatingTheEdge)
{
    const Folder folder;
    Image picture(47, 63, 3);
    for (std::int64_t y = 0; y < 47; ++y)
        for (std::int64_t x = 0; x < 63; ++x) std::fill_n(picture.at(y, x), 3, std::uint8_t(x < 31 ? 40 : 200));
    VideoWriter writer(folder / "out.mp4", {.H = 47, .W = 63}, {.crf = 0, .preset = "ultrafast"});
    for (int i = 0; i < 3; ++i) writer.write(picture);
    EXPECT_NE(writer.description().find("64x48"), std::string::npos);
    writer.finish();
    EXPECT_EQ(probe(folder / "out.mp4").pixel_format, "yuv420p");
    const Image back = frames_of(folder / "out.mp4").at(0);
    ASSERT_EQ(back.H, 48);
    ASSERT_EQ(back.W, 64);
    EXPECT_NEAR(*back.at(47, 10), 40, 2);
    EXPECT_NEAR(*back.at(20, 63), 200, 2);
    VideoWriter exact(folder / "exact.mkv", {.H = 47, .W = 63, .chroma = "444"}, {.preset = "ultrafast"});
    exact.write(picture);
    exact.finish();
    EXPECT_EQ(probe(folder / "exact.mkv").format.W, 63);
}

/// Width and height of what is bright.
std::pair<int, int> extent(const Image& image)
{
    std::int64_t left = image.W, right = 0, top = image.H, bottom = 0;
    for (std::int64_t y = 0; y < image.H; ++y)
        for (std::int64_t x = 0; x < image.W; ++x)
            if (image.at(y, x)[1] > 128) {
                left = std::min(left, x), right = std::max(right, x + 1);
                top = std::min(top, y), bottom = std::max(bottom, y + 1);
            }
    return {int(right - left), int(bottom - top)};
}

TEST(VideoPicture, ACircleStaysOneWhenPixelsAreNotSquare)
{
    const Folder folder;
    // A circle of 200 px across in a 512 x 288 picture; stored as 360 x 288 with pixels 64:45, and as 512 x 216, 3:4.
    const std::string circle =
        "color=black:size=512x288:rate=25:duration=0.2,format=gray,geq=lum='255*lt(hypot(X-256,Y-144),100)',";
    for (const char* stored : {"scale=360:288,setsar=64/45", "scale=512:216,setsar=3/4"}) {
        ffmpeg({"-f", "lavfi", "-i", circle + stored + ",format=yuv420p", folder / "in.mkv"});
        VideoReader reader(folder / "in.mkv");
        Image frame;
        ASSERT_TRUE(reader.next(frame));
        EXPECT_EQ(frame.W, 512) << stored;
        EXPECT_EQ(frame.H, 288) << stored;
        EXPECT_NEAR(extent(frame).first, 200, 2) << stored;
        EXPECT_NEAR(extent(frame).second, 200, 2) << stored;
        EXPECT_EQ(reader.remarks().size(), 1u) << stored;
        copy_clip(folder / "in.mkv", folder / "out.mp4", {.existing = Existing::replace});
        const VideoInfo info = probe(folder / "out.mp4");
        EXPECT_EQ(info.format.W, 512) << stored;
        EXPECT_EQ(info.sample_aspect.value(), 1) << stored;
        EXPECT_NEAR(extent(frames_of(folder / "out.mp4").at(0)).first, 200, 2) << stored;
    }
}

/// Rows of one parity against the other: how strongly edges are combed.
double combing(const Image& image)
{
    double sum = 0;
    for (std::int64_t y = 1; y + 1 < image.H; ++y)
        for (std::int64_t x = 0; x < image.W; ++x)
            sum += std::max(0, std::abs(2 * image.at(y, x)[1] - image.at(y - 1, x)[1] - image.at(y + 1, x)[1]) - 60);
    return sum / double(image.H * image.W);
}

TEST(VideoPicture, InterlacedFootageIsRecognisedAndDeinterlaced)
{
    const Folder folder;
    // A soft grey bar that moves by 4 px each field.
    const std::string moving = "color=black:size=320x288:rate=50:duration=1.2,format=gray,"
                               "geq=lum='60+150*between(mod(X-4*N,320),40,140)*(1+0.2*sin(Y/9))/1.2',gblur=1";
    const std::string bottom = moving + ",interlace=scan=bff:lowpass=0", top = moving + ",interlace=scan=tff:lowpass=0";
    ffmpeg(
        {"-f", "lavfi", "-i", top, "-flags", "+ilme+ildct", "-c:v", "mpeg2video", "-q:v", "2", folder / "tagged.mpg"});
    ffmpeg({"-f", "lavfi", "-i", bottom + ",setfield=prog", "-c:v", "libx264", "-crf", "4", "-preset", "ultrafast",
            folder / "untagged.mp4"});
    ffmpeg({"-f", "lavfi", "-i", moving + ",fps=25", "-c:v", "libx264", "-crf", "4", "-preset", "ultrafast",
            folder / "progressive.mp4"});
    EXPECT_EQ(look_at_fields(folder / "tagged.mpg", probe(folder / "tagged.mpg")), Fields::top_first);
    EXPECT_EQ(look_at_fields(folder / "untagged.mp4", probe(folder / "untagged.mp4")), Fields::bottom_first);
    EXPECT_EQ(look_at_fields(folder / "progressive.mp4", probe(folder / "progressive.mp4")), Fields::none);
    for (const char* name : {"tagged.mpg", "untagged.mp4"}) {
        VideoReader reader(folder / name);
        EXPECT_NE(reader.info().fields, Fields::none);
        const std::vector<std::string> remarks = reader.remarks();
        ASSERT_EQ(remarks.size(), 1u);
        EXPECT_EQ(remarks[0].rfind("is interlaced (", 0), 0u);
        const std::vector<Image> frames = frames_of(folder / name);
        EXPECT_EQ(frames.size(), 30u) << name;
        ffmpeg({"-i", folder / name, "-frames:v", "12", "-update", "1", folder / "combed.png"});
        const double before = combing(load_image(folder / "combed.png")), after = combing(frames.at(12));
        EXPECT_GT(before, 1) << name;
        EXPECT_LT(after, 0.2 * before) << name;
    }
}

} // namespace
} // namespace bifrons::data
