// tests/data/webp_test.cpp - animated WebP as a clip.
#include "data/media/frames.h"
#include "kernels/base/error.h"
#include "tests/data/folder.h"
#include "tests/data/picture_bytes.h"

#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include <array>
#include <random>

namespace bifrons::data {
namespace {

using test::Bytes;
using test::Folder;
using test::put_little;

constexpr int kW = 20, kH = 12;
enum Flags { cleared = 1, replaces = 2 };

struct Part {
    cv::Scalar bgra = {};
    int ms = 40, flags = 0;
    int x = 0, y = 0, W = kW, H = kH; ///< x and y are even
};

void put_webp_chunk(Bytes& file, const std::string& name, const Bytes& content)
{
    const Bytes letters = test::bytes(name);
    file.insert(file.end(), letters.begin(), letters.end());
    put_little(file, content.size(), 4);
    file.insert(file.end(), content.begin(), content.end());
    if (content.size() % 2) file.push_back(0);
}

/// Lossless.
Bytes frame(const Part& part)
{
    Bytes content, coded;
    const int header[] = {part.x / 2, part.y / 2, part.W - 1, part.H - 1, part.ms};
    for (const int value : header) put_little(content, std::size_t(value), 3);
    put_little(content, std::size_t(part.flags), 1);
    cv::imencode(".webp", cv::Mat(part.H, part.W, CV_8UC4, part.bgra), coded, {cv::IMWRITE_WEBP_QUALITY, 101});
    content.insert(content.end(), coded.begin() + 12, coded.end());
    return content;
}

/// Frames as they stand in a file, whose first chunk says W and H.
Bytes animation(const std::vector<Bytes>& frames, int W = kW, int H = kH)
{
    Bytes body = test::bytes("WEBP"), header;
    put_little(header, 2, 4); // animated
    put_little(header, std::size_t(W - 1), 3);
    put_little(header, std::size_t(H - 1), 3);
    put_webp_chunk(body, "VP8X", header);
    put_webp_chunk(body, "ANIM", Bytes(6));
    for (const Bytes& content : frames) put_webp_chunk(body, "ANMF", content);
    Bytes file;
    put_webp_chunk(file, "RIFF", body);
    return file;
}

Bytes animation(const std::vector<Part>& parts)
{
    std::vector<Bytes> frames;
    for (const Part& part : parts) frames.push_back(frame(part));
    return animation(frames);
}

const cv::Scalar kRed = {0, 0, 255, 255}, kGreen = {0, 255, 0, 255}, kBlue = {255, 0, 0, 255};

class Webp : public testing::Test {
  protected:
    /// Written as a clip, and opened.
    std::unique_ptr<FrameSource> opened(const Bytes& bytes, const ReaderOptions& options = {})
    {
        test::write_bytes(folder_ / "a.webp", bytes);
        return open_frames(folder_ / "a.webp", options);
    }

    static std::vector<Frame> all(FrameSource& source)
    {
        std::vector<Frame> frames;
        for (Frame next; source.next(next);) frames.push_back(std::move(next));
        return frames;
    }

    static std::array<int, 3> color(const Frame& frame, int y, int x)
    {
        const std::uint8_t* bgr = frame.image.at(y, x);
        return {bgr[0], bgr[1], bgr[2]};
    }

    Folder folder_;
};

constexpr std::array<int, 3> kShownRed = {0, 0, 255}, kShownGreen = {0, 255, 0}, kShownBlue = {255, 0, 0};

TEST_F(Webp, AnAnimationIsAClip)
{
    const auto source = opened(animation({{kRed}, {kGreen}, {kBlue}}));
    EXPECT_TRUE(is_clip(folder_ / "a.webp"));
    EXPECT_EQ(source->count(), 3);
    ASSERT_NE(source->video(), nullptr);
    EXPECT_EQ(source->video()->frames, 3);
    const VideoFormat& format = source->video()->format;
    EXPECT_EQ(format.W, kW);
    EXPECT_EQ(format.H, kH);
    EXPECT_EQ(format.rate.value(), 25);
    EXPECT_FALSE(format.variable_rate);
    const std::vector<Frame> frames = all(*source);
    ASSERT_EQ(frames.size(), 3u);
    EXPECT_EQ(color(frames[0], 0, 0), kShownRed);
    EXPECT_EQ(color(frames[1], kH - 1, kW - 1), kShownGreen);
    EXPECT_EQ(color(frames[2], 5, 5), kShownBlue);
    EXPECT_EQ(frames[2].name, "a_000002");
    EXPECT_EQ(frames[2].index, 2);
    EXPECT_EQ(frames[2].time_s, 0.08);
    EXPECT_TRUE(source->remarks().empty());
}

TEST_F(Webp, EachFrameKeepsItsTime)
{
    const Bytes bytes = animation({{kRed, 100}, {kGreen, 30}, {kBlue, 0}, {kRed, 10}, {kGreen, 11}, {kBlue, 200}});
    const std::vector<double> times = {0, 0.1, 0.13, 0.23, 0.33, 0.341}; // 10 ms and less are shown for 100
    const auto source = opened(bytes);
    EXPECT_TRUE(source->video()->format.variable_rate);
    const auto sink = create_frames(folder_ / "a.mkv", {.format = source->video()->format, .video = {.crf = 0}});
    for (std::size_t n = 0; n < times.size(); ++n) {
        Frame frame;
        ASSERT_TRUE(source->next(frame));
        EXPECT_NEAR(frame.time_s.value(), times[n], 1e-9) << n;
        sink->write(frame);
    }
    sink->finish();
    VideoReader written(folder_ / "a.mkv");
    Image image;
    for (std::size_t n = 0; n < times.size(); ++n) {
        ASSERT_TRUE(written.next(image));
        EXPECT_NEAR(written.time_s(), times[n], 0.001) << n;
        const int brightest = n % 3 == 0 ? 2 : n % 3 == 1 ? 1 : 0;
        EXPECT_NEAR(image.at(5, 5)[brightest], 255, 3) << n;
        EXPECT_NEAR(image.at(5, 5)[(brightest + 1) % 3], 0, 3) << n;
    }
}

TEST_F(Webp, FramesAreDrawnOverEachOther)
{
    const cv::Scalar kHalfBlue = {255, 0, 0, 128}, kNothing = {0, 0, 0, 0};
    const auto source = opened(animation({{kRed},
                                          {kHalfBlue, 40, 0, 4, 2, 6, 4},
                                          {kNothing, 40, replaces, 8, 2, 2, 2},
                                          {kGreen, 40, cleared, 0, 0, 2, 2},
                                          {kHalfBlue, 40, 0, 0, 0, 4, 2}}));
    const std::vector<Frame> frames = all(*source);
    EXPECT_EQ(source->remarks(), (std::vector<std::string>{"has an alpha channel, which is left out"}));
    ASSERT_EQ(frames.size(), 5u);
    EXPECT_EQ(color(frames[1], 2, 3), kShownRed);
    EXPECT_EQ(color(frames[1], 2, 4), (std::array<int, 3>{128, 0, 127}));
    EXPECT_EQ(color(frames[1], 5, 9), (std::array<int, 3>{128, 0, 127}));
    EXPECT_EQ(color(frames[1], 6, 9), kShownRed);
    EXPECT_EQ(color(frames[2], 3, 8), (std::array<int, 3>{0, 0, 0})) << "replaced";
    EXPECT_EQ(color(frames[2], 4, 8), (std::array<int, 3>{128, 0, 127}));
    EXPECT_EQ(color(frames[3], 1, 1), kShownGreen);
    EXPECT_EQ(color(frames[4], 1, 1), kShownBlue) << "over what was cleared";
    EXPECT_EQ(color(frames[4], 1, 2), (std::array<int, 3>{128, 0, 127}));
    EXPECT_EQ(color(frames[4], 1, 4), kShownRed);
}

TEST_F(Webp, OfACutFileTheWholeFramesAreUsed)
{
    Bytes bytes = animation({{kRed}, {kGreen}, {kBlue}});
    bytes.resize(bytes.size() - 5);
    const auto source = opened(bytes);
    EXPECT_EQ(source->remarks(), (std::vector<std::string>{"is truncated: its 2 whole frames are used"}));
    const std::vector<Frame> frames = all(*source);
    ASSERT_EQ(frames.size(), 2u);
    EXPECT_EQ(color(frames[1], 5, 5), kShownGreen);
    BIFRONS_EXPECT_ERROR(opened(bytes, {.strict = true}), data, "a.webp: is truncated");
    bytes.resize(60);
    BIFRONS_EXPECT_ERROR(opened(bytes), data, "a.webp: holds no whole frame; the file is truncated or damaged");
}

TEST_F(Webp, ADamagedFrameCostsItselfAlone)
{
    std::vector<Bytes> parts = {frame({kRed}), frame({kGreen}), frame({kBlue})};
    std::fill(parts[1].begin() + 16 + 8, parts[1].end(), 0); // behind the frame's header and its chunk's
    const auto source = opened(animation(parts));
    const std::vector<Frame> frames = all(*source);
    ASSERT_EQ(frames.size(), 2u);
    EXPECT_EQ(color(frames[1], 5, 5), kShownBlue);
    EXPECT_EQ(frames[1].index, 1);
    EXPECT_EQ(frames[1].time_s, 0.08);
    EXPECT_EQ(source->remarks(), (std::vector<std::string>{"is damaged: 2 of 3 frames were decoded, and those behind a "
                                                           "damaged one may be broken"}));
    BIFRONS_EXPECT_ERROR(all(*opened(animation(parts), {.strict = true})), data, "a.webp: frame 1 is damaged");
    BIFRONS_EXPECT_ERROR(all(*opened(animation({parts[1]}))), data, "a.webp: none of 1 frames could be decoded");
    const Bytes outside = frame({kRed, 40, 0, 2, 0, kW, kH});
    BIFRONS_EXPECT_ERROR(all(*opened(animation({outside}))), data, "a.webp: none of 1 frames");
    Bytes other_size = frame({kRed});
    other_size[6] = 9; // a width of 10
    BIFRONS_EXPECT_ERROR(all(*opened(animation({other_size}))), data, "a.webp: none of 1 frames");
}

TEST_F(Webp, SizesAreRefusedBeforeAFrameIsDecoded)
{
    const std::vector<Bytes> frames(1000, frame({kRed}));
    BIFRONS_EXPECT_ERROR(opened(animation(frames, 16384, 16384)), data,
                         "a.webp: has frames of 16384x16384 pixels; expected at most 67108864 in all");
    BIFRONS_EXPECT_ERROR(opened(animation(frames), {.max_pixels = 240}), data, "expected a picture of at most");
    EXPECT_EQ(opened(animation(frames), {.max_pixels = 16384})->count(), 1000);
}

TEST_F(Webp, AmongPicturesTheFirstFrameIsTaken)
{
    std::filesystem::create_directory(folder_ / "in");
    test::write_bytes(folder_ / "in" / "b.webp", animation({{kGreen}, {kRed}}));
    const auto source = open_frames(folder_ / "in");
    const std::vector<Frame> frames = all(*source);
    ASSERT_EQ(frames.size(), 1u);
    EXPECT_EQ(color(frames[0], 5, 5), kShownGreen);
    EXPECT_EQ(source->remarks(), (std::vector<std::string>{"b.webp: is animated, and its first picture was taken"}));
}

TEST_F(Webp, ItIsKnownByWhatStandsInIt)
{
    test::write_bytes(folder_ / "a.gif", animation({{kRed}, {kGreen}}));
    EXPECT_EQ(all(*open_frames(folder_ / "a.gif")).size(), 2u);
    Bytes one;
    cv::imencode(".webp", cv::Mat(4, 4, CV_8UC3), one);
    test::write_bytes(folder_ / "b.gif", one);
    BIFRONS_EXPECT_ERROR(open_frames(folder_ / "b.gif"), data, "b.gif: is a WebP of one picture");
}

TEST_F(Webp, DamagedBytesNeverCrash)
{
    const Bytes whole = animation({{kRed}, {kGreen, 40, 0, 4, 2, 6, 4}, {kBlue}});
    std::mt19937 random(5);
    for (int i = 0; i < 300; ++i) {
        Bytes bytes = whole;
        for (int n = 0; n < 4; ++n) bytes[random() % bytes.size()] = std::uint8_t(random());
        try {
            all(*opened(bytes, {.max_pixels = 1 << 16}));
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::data) << i << ": " << error.what();
        }
    }
}

} // namespace
} // namespace bifrons::data
