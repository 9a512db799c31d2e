#include "data/media/tone_mapping.h"
#include "tests/data/clips.h"

#include <gtest/gtest.h>

namespace bifrons::data {
namespace {
namespace fs = std::filesystem;
using test::Folder;

ColorTags tags_of(const std::string& transfer)
{
    return {.range = "tv", .matrix = "bt2020nc", .primaries = "bt2020", .transfer = transfer};
}

/// The level that a grey of this value becomes.
int grey(const std::string& transfer, double value)
{
    DeepImage one(1, 1, 3);
    std::fill(one.pixels.begin(), one.pixels.end(), std::uint16_t(std::lround(65280 * value)));
    const Image shown = ToneMapping(tags_of(transfer))(one);
    EXPECT_NEAR(shown.pixels[0], shown.pixels[1], 1);
    EXPECT_NEAR(shown.pixels[2], shown.pixels[1], 1);
    return shown.pixels[1];
}

TEST(ToneMapping, GreysOfKnownLight)
{
    // ITU-R BT.2408: reference white, 203 cd/m2, is 58 % of PQ and 75 % of HLG. The curve brings it to 0.765 of
    // BT.709's light; 1000 cd/m2 are white.
    EXPECT_NEAR(grey("smpte2084", 0.5807), std::lround(255 * std::pow(0.765, 1 / 2.4)), 1);
    EXPECT_NEAR(grey("arib-std-b67", 0.75), std::lround(255 * std::pow(0.765, 1 / 2.4)), 1);
    EXPECT_NEAR(grey("smpte2084", 0.7518), 255, 1);
    EXPECT_EQ(grey("smpte2084", 1), 255);
    EXPECT_EQ(grey("arib-std-b67", 1), 255);
    EXPECT_EQ(grey("smpte2084", 0), 0);
    EXPECT_EQ(grey("arib-std-b67", 0), 0);
    // 26 cd/m2, the light of 18 % grey under reference white with the exact 38 % of PQ and HLG.
    EXPECT_NEAR(grey("smpte2084", 0.38), std::lround(255 * std::pow(26.0 / 203, 1 / 2.4)), 2);
    EXPECT_NEAR(grey("arib-std-b67", 0.38), std::lround(255 * std::pow(26.0 / 203, 1 / 2.4)), 2);
}

TEST(ToneMapping, UndoneAndDoneAgainGivesTheSameLevels)
{
    Image colors(9 * 9, 9, 3); // a grid of all three
    for (std::size_t i = 0; i < 9 * 9 * 9; ++i)
        for (const std::size_t c : {0, 1, 2})
            colors.pixels[3 * i + c] = std::uint8_t(15 + 30 * (i / (c == 0 ? 1 : c == 1 ? 9 : 81) % 9));
    for (const char* transfer : {"smpte2084", "arib-std-b67"})
        for (const char* primaries : {"bt2020", "bt709", "smpte432", ""}) {
            ColorTags tags = tags_of(transfer);
            tags.primaries = primaries;
            const ToneMapping mapping(tags);
            ImageF own = to_float(colors);
            mapping.undo(own);
            DeepImage deep(own.H, own.W, 3);
            std::transform(own.pixels.begin(), own.pixels.end(), deep.pixels.begin(),
                           [](float value) { return std::uint16_t(std::lround(65535 * value)); });
            const Image again = mapping(deep);
            for (std::size_t i = 0; i < colors.pixels.size(); ++i)
                ASSERT_NEAR(again.pixels[i], colors.pixels[i], 1) << transfer << primaries << i;
        }
}

TEST(ToneMapping, ShowsWhatFfmpegsFiltersShow)
{
    if (run({"ffmpeg", "-v", "quiet", "-h", "filter=zscale"}).text.find("Filter zscale") != 0)
        GTEST_SKIP() << "this ffmpeg has no zscale";
    const Folder folder;
    for (const char* transfer : {"smpte2084", "arib-std-b67"}) {
        const fs::path clip = folder / str(transfer, ".mkv");
        // From dark to 76 % of the range, of little and of much saturation; none that RGB cannot hold.
        ffmpeg({"-f", "lavfi", "-i",
                "color=size=128x96:rate=25:duration=0.04,format=yuv444p10le,"
                "geq=lum='230+4*X':cb='512+Y-48':cr='512+48-Y'",
                "-c:v", "ffv1", "-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc",
                "-color_range", "tv", clip});
        const Output said = run({"ffmpeg", "-v", "error", "-i", clip.string(), "-vf",
                                 "zscale=transfer=linear:npl=203,format=gbrpf32le,zscale=primaries=bt709,"
                                 "tonemap=mobius:param=0.5:peak=4.926:desat=0,zscale=transfer=bt709,format=gbrp,"
                                 "format=bgr24",
                                 "-f", "rawvideo", "pipe:1"});
        Image frame;
        ASSERT_TRUE(VideoReader(clip).next(frame));
        ASSERT_EQ(said.text.size(), frame.pixels.size());
        double sum = 0;
        for (std::size_t i = 0; i < frame.pixels.size(); ++i) {
            const int want = std::uint8_t(said.text[i]);
            ASSERT_NEAR(frame.pixels[i], want, 3) << transfer << " " << i;
            sum += std::abs(frame.pixels[i] - want);
        }
        EXPECT_LT(sum / double(frame.pixels.size()), 0.5) << transfer;
    }
}

TEST(ToneMapping, DeepFramesKeepTheirOwnTransfer)
{
    const Folder folder;
    // Grey of 203 cd/m2 in PQ: 64 + 876 * 0.5807.
    ffmpeg({"-f", "lavfi", "-i", "color=size=64x48:rate=25:duration=0.04,format=yuv420p10le,geq=lum=573:cb=512:cr=512",
            "-c:v", "ffv1", "-color_trc", "smpte2084", folder / "pq.mkv"});
    for (const bool deep : {false, true}) {
        VideoReader reader(folder / "pq.mkv", {.deep = deep});
        Image frame;
        ASSERT_TRUE(reader.next(frame));
        EXPECT_NEAR(frame.pixels[0], 228, 1);
        EXPECT_EQ(reader.info().format.tags.transfer, deep ? "smpte2084" : "bt709");
        EXPECT_EQ(reader.info().format.bits, deep ? 10 : 8);
        const std::vector<std::string> said = {"is of high dynamic range (PQ); its frames are tone-mapped to BT.709"};
        EXPECT_EQ(reader.remarks(), deep ? std::vector<std::string>() : said);
        ASSERT_EQ(reader.deep().pixels.size(), deep ? frame.pixels.size() : 0u);
        if (deep) {
            EXPECT_NEAR(reader.deep().pixels[0] / 65280.0, 0.5807, 0.001);
        }
    }
}

} // namespace
} // namespace bifrons::data
