// tests/data/picture_kinds_test.cpp - WebP, TIFF, BMP, and colour profiles.
#include "data/media/frames.h"
#include "kernels/base/error.h"
#include "tests/data/folder.h"
#include "tests/data/picture_bytes.h"

#include <gtest/gtest.h>
#include <lcms2.h>
#include <opencv2/imgcodecs.hpp>

#include <cmath>

namespace bifrons::data {
namespace {

using test::Bytes;
using test::Folder;
using test::put_little;

/// Two rows of three pixels, BGR: 10 y + x in blue, 100 more in green, 200 in red.
cv::Mat six_pixels()
{
    cv::Mat picture(2, 3, CV_8UC3);
    for (int y = 0; y < 2; ++y)
        for (int x = 0; x < 3; ++x)
            picture.at<cv::Vec3b>(y, x) = cv::Vec3b(std::uint8_t(10 * y + x), std::uint8_t(100 + 10 * y + x), 200);
    return picture;
}

Bytes encoded(const char* ending, const cv::Mat& picture, const std::vector<int>& options = {})
{
    Bytes out;
    cv::imencode(ending, picture, out, options);
    return out;
}

/// A lossless WebP in the extended form, with one chunk more.
Bytes extended_webp(const std::string& type, const Bytes& content, int flags)
{
    const Bytes simple = encoded(".webp", six_pixels(), {cv::IMWRITE_WEBP_QUALITY, 101});
    Bytes body = test::bytes("WEBPVP8X");
    put_little(body, 10, 4);
    put_little(body, std::size_t(flags), 4);
    put_little(body, 2, 3);
    put_little(body, 1, 3);
    body.insert(body.end(), simple.begin() + 12, simple.end());
    const Bytes name = test::bytes(type);
    body.insert(body.end(), name.begin(), name.end());
    put_little(body, content.size(), 4);
    body.insert(body.end(), content.begin(), content.end());
    if (content.size() % 2) body.push_back(0);
    Bytes file = test::bytes("RIFF");
    put_little(file, body.size(), 4);
    file.insert(file.end(), body.begin(), body.end());
    return file;
}

/// Uncompressed RGB of 16 bits a channel.
Bytes tiff(int orientation)
{
    Bytes pixels;
    for (std::size_t y = 0; y < 2; ++y)
        for (std::size_t x = 0; x < 3; ++x)
            for (const std::size_t value : {std::size_t(200), 100 + 10 * y + x, 10 * y + x})
                put_little(pixels, value * 257, 2);
    Bytes file = test::bytes(std::string("II*\0", 4));
    put_little(file, 8 + pixels.size(), 4);
    file.insert(file.end(), pixels.begin(), pixels.end());
    constexpr std::size_t kShort = 3, kLong = 4;
    const std::size_t tags = 10, bits_at = file.size() + 2 + 12 * tags + 4;
    put_little(file, tags, 2);
    const auto tag = [&](std::size_t name, std::size_t type, std::size_t count, std::size_t value) {
        put_little(file, name, 2);
        put_little(file, type, 2);
        put_little(file, count, 4);
        put_little(file, value, 4);
    };
    tag(256, kLong, 1, 3);
    tag(257, kLong, 1, 2);
    tag(258, kShort, 3, bits_at);
    tag(259, kShort, 1, 1);
    tag(262, kShort, 1, 2);
    tag(273, kLong, 1, 8);
    tag(274, kShort, 1, std::size_t(orientation));
    tag(277, kShort, 1, 3);
    tag(278, kLong, 1, 2);
    tag(279, kLong, 1, pixels.size());
    put_little(file, 0, 4);
    for (int i = 0; i < 3; ++i) put_little(file, 16, 2);
    return file;
}

TEST(PictureKinds, WebpTiffAndBmpAreReadByContent)
{
    const Bytes simple_webp = encoded(".webp", six_pixels(), {cv::IMWRITE_WEBP_QUALITY, 101});
    for (const Bytes& file : {simple_webp, tiff(1), encoded(".bmp", six_pixels())}) {
        const Image image = decode_image(file, "a.jpg");
        ASSERT_EQ(image.H, 2);
        ASSERT_EQ(image.W, 3);
        EXPECT_EQ(std::vector<int>(image.at(1, 2), image.at(1, 2) + 3), (std::vector<int>{12, 112, 200}));
    }
}

TEST(PictureKinds, HeadersSayTheSizeBeforeDecoding)
{
    const Folder folder;
    const std::vector<Bytes> files = {encoded(".webp", six_pixels(), {cv::IMWRITE_WEBP_QUALITY, 101}),
                                      encoded(".webp", six_pixels(), {cv::IMWRITE_WEBP_QUALITY, 50}),
                                      extended_webp("EXIF", test::exif(1), 8),
                                      tiff(1),
                                      encoded(".bmp", six_pixels()),
                                      encoded(".jpg", six_pixels())};
    for (const Bytes& file : files) {
        test::write_bytes(folder / "a", file);
        EXPECT_EQ(look_at_picture(folder / "a").H, 2);
        EXPECT_EQ(look_at_picture(folder / "a").W, 3);
        BIFRONS_EXPECT_ERROR(load_image(folder / "a", 5), data, "");
    }
}

TEST(PictureKinds, BitmapsOfOs2AreRead)
{
    Bytes file = test::bytes("BM");
    put_little(file, 26 + 2 * 4, 4);
    put_little(file, 0, 4);
    put_little(file, 26, 4);
    put_little(file, 12, 4);
    for (const std::size_t value : {1, 2, 1, 24}) put_little(file, value, 2); // 1x2, one plane of 24 bits
    for (const std::size_t pixel : {0x030201, 0x060504}) put_little(file, pixel, 4);
    EXPECT_EQ(decode_image(file, "os2").pixels, (Bytes{4, 5, 6, 1, 2, 3})); // the lowest row comes first
    file.resize(file.size() - 4);
    BIFRONS_EXPECT_ERROR(decode_image(file, "cut"), data, "cut: ends early");
}

/// 6: the first row is the right column; 3: half a turn.
TEST(PictureKinds, ExifOfWebpAndTiffIsCarriedOut)
{
    for (const auto& file : {extended_webp("EXIF", test::exif(6), 8), tiff(6)}) {
        const Image turned = decode_image(file, "turned");
        ASSERT_EQ(turned.H, 3);
        ASSERT_EQ(turned.W, 2);
        EXPECT_EQ(turned.at(0, 1)[0], 0);
        EXPECT_EQ(turned.at(2, 0)[0], 12);
        const Folder folder;
        test::write_bytes(folder / "a", file);
        EXPECT_EQ(look_at_picture(folder / "a").H, 3);
    }
    EXPECT_EQ(decode_image(extended_webp("EXIF", test::exif(3, false), 8), "turned").at(0, 0)[0], 12);
}

TEST(PictureKinds, AnimationsAreRecognised)
{
    const Folder folder;
    test::write_bytes(folder / "a", extended_webp("ANIM", Bytes(6), 2));
    EXPECT_TRUE(look_at_picture(folder / "a").is_animated);
    test::write_bytes(folder / "a", test::png(1, 1, 8, 0, {7}, {{"acTL", Bytes(8, 1)}}));
    EXPECT_TRUE(look_at_picture(folder / "a").is_animated);
    test::write_bytes(folder / "a", test::png(1, 1, 8, 0, {7}));
    EXPECT_FALSE(look_at_picture(folder / "a").is_animated);
}

cmsToneCurve* srgb_curve()
{
    const double parameters[] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
    return cmsBuildParametricToneCurve(nullptr, 4, parameters);
}

Bytes saved(cmsHPROFILE profile)
{
    cmsUInt32Number size = 0;
    cmsSaveProfileToMem(profile, nullptr, &size);
    Bytes out(size);
    cmsSaveProfileToMem(profile, out.data(), &size);
    cmsCloseProfile(profile);
    return out;
}

Bytes display_p3()
{
    const cmsCIExyY white = {0.3127, 0.3290, 1};
    const cmsCIExyYTRIPLE primaries = {{0.680, 0.320, 1}, {0.265, 0.690, 1}, {0.150, 0.060, 1}};
    cmsToneCurve* curve = srgb_curve();
    cmsToneCurve* curves[] = {curve, curve, curve};
    const cmsHPROFILE profile = cmsCreateRGBProfile(&white, &primaries, curves);
    cmsFreeToneCurve(curve);
    return saved(profile);
}

Bytes iccp(const Bytes& profile)
{
    Bytes chunk = test::bytes(std::string("p\0\0", 3));
    const Bytes packed = test::deflated(profile);
    chunk.insert(chunk.end(), packed.begin(), packed.end());
    return chunk;
}

/// Red, green, blue of Display P3 in sRGB, by the published matrix between them.
std::array<int, 3> srgb_of_p3(int r, int g, int b)
{
    const auto linear = [](int v) {
        const double x = v / 255.0;
        return x <= 0.04045 ? x / 12.92 : std::pow((x + 0.055) / 1.055, 2.4);
    };
    const auto coded = [](double x) {
        x = std::clamp(x, 0.0, 1.0);
        return int(std::lround(255 * (x <= 0.0031308 ? 12.92 * x : 1.055 * std::pow(x, 1 / 2.4) - 0.055)));
    };
    const double R = linear(r), G = linear(g), B = linear(b);
    return {coded(1.2249 * R - 0.2247 * G), coded(-0.0420 * R + 1.0419 * G),
            coded(-0.0197 * R - 0.0786 * G + 1.0979 * B)};
}

TEST(PictureKinds, ColorsOfAProfileAreReadAsSrgbAndWrittenInTheProfile)
{
    const Folder folder;
    const std::array<int, 3> red = srgb_of_p3(150, 40, 60);
    ASSERT_GT(red[0], 155); // a profile that is ignored shows
    test::write_bytes(folder / "p3.png",
                      test::png(2, 1, 8, 2, {150, 40, 60, 255, 0, 0}, {{"iCCP", iccp(display_p3())}}));
    LoadedPicture loaded = load_picture(folder / "p3.png");
    EXPECT_EQ(loaded.remark, "");
    for (int c = 0; c < 3; ++c) EXPECT_NEAR(loaded.image.at(0, 0)[2 - c], red[std::size_t(c)], 1) << c;
    EXPECT_EQ(std::vector<int>(loaded.image.at(0, 1), loaded.image.at(0, 1) + 3), (std::vector<int>{0, 0, 255}));

    // The second pixel lies outside sRGB and must survive; the first is repainted.
    const std::array<int, 3> paint = srgb_of_p3(90, 120, 80);
    for (int c = 0; c < 3; ++c) loaded.image.at(0, 0)[2 - c] = std::uint8_t(paint[std::size_t(c)]);
    for (const char* name : {"out.png", "out.jpg"}) {
        save_image(folder / name, loaded.image, {.jpeg_quality = 100, .extras = &loaded.extras});
        const LoadedPicture back = load_picture(folder / name);
        EXPECT_EQ(back.extras.profile, display_p3()) << name;
        if (name == std::string("out.jpg")) continue; // two pixels share their colour there
        const Image& stored = back.extras.in_profile;
        EXPECT_EQ(std::vector<int>(stored.at(0, 1), stored.at(0, 1) + 3), (std::vector<int>{0, 0, 255}));
        EXPECT_NEAR(stored.at(0, 0)[2], 90, 1);
        EXPECT_NEAR(stored.at(0, 0)[1], 120, 1);
        EXPECT_NEAR(stored.at(0, 0)[0], 80, 1);
    }
}

TEST(PictureKinds, AProfileOfWebpIsUsed)
{
    const Image image = decode_image(extended_webp("ICCP", display_p3(), 32), "p3");
    EXPECT_NEAR(image.at(0, 0)[2], srgb_of_p3(200, 100, 0)[0], 1);
}

TEST(PictureKinds, SrgbsOwnProfileChangesNoLevel)
{
    const Folder folder;
    test::write_bytes(folder / "a.png",
                      test::png(2, 1, 8, 2, {1, 2, 3, 250, 128, 60}, {{"iCCP", iccp(saved(cmsCreate_sRGBProfile()))}}));
    const LoadedPicture loaded = load_picture(folder / "a.png");
    EXPECT_EQ(loaded.image.pixels, (Bytes{3, 2, 1, 60, 128, 250}));
    EXPECT_TRUE(loaded.extras.in_profile.pixels.empty());
    EXPECT_FALSE(loaded.extras.profile.empty());
}

TEST(PictureKinds, GreyProfilesAreUsedAndBrokenOnesNamed)
{
    const Folder folder;
    const cmsCIExyY white = {0.3127, 0.3290, 1};
    cmsToneCurve* linear = cmsBuildGamma(nullptr, 1.0);
    const Bytes profile = saved(cmsCreateGrayProfile(&white, linear));
    cmsFreeToneCurve(linear);
    test::write_bytes(folder / "grey.png", test::png(1, 1, 8, 0, {128}, {{"iCCP", iccp(profile)}}));
    const LoadedPicture grey = load_picture(folder / "grey.png");
    for (int c = 0; c < 3; ++c) EXPECT_NEAR(grey.image.at(0, 0)[c], 188, 1); // linear 0.502 in sRGB
    EXPECT_TRUE(grey.extras.profile.empty());

    Bytes broken = display_p3();
    std::fill(broken.begin() + 200, broken.end(), 0);
    test::write_bytes(folder / "broken.webp", extended_webp("ICCP", broken, 32));
    const LoadedPicture taken = load_picture(folder / "broken.webp");
    EXPECT_NE(taken.remark.find("profile"), std::string::npos) << taken.remark;
    EXPECT_EQ(taken.image.at(0, 0)[2], 200);
}

/// Of a printer whose cyan is a middle grey (L* 50), magenta sRGB's red, and any other mixture black.
Bytes printer()
{
    cmsPipeline* inks_to_lab = cmsPipelineAlloc(nullptr, 4, 3);
    cmsStage* corners = cmsStageAllocCLut16bit(nullptr, 2, 4, 3, nullptr);
    const auto lab = [](const cmsUInt16Number* inks, cmsUInt16Number* out, void*) {
        const int mixture = (inks[0] > 0) + 2 * (inks[1] > 0) + 4 * (inks[2] > 0) + 8 * (inks[3] > 0);
        const cmsCIELab colors[] = {{100, 0, 0}, {50, 0, 0}, {54.29, 80.81, 69.89}}; // red as it is under D50
        const cmsCIELab color = mixture < 3 ? colors[mixture] : cmsCIELab{0, 0, 0};
        cmsFloat2LabEncodedV2(out, &color);
        return TRUE;
    };
    cmsStageSampleCLut16bit(corners, lab, nullptr, 0);
    cmsPipelineInsertStage(inks_to_lab, cmsAT_END, corners);
    const cmsHPROFILE profile = cmsCreateProfilePlaceholder(nullptr);
    cmsSetProfileVersion(profile, 2.1);
    cmsSetDeviceClass(profile, cmsSigOutputClass);
    cmsSetColorSpace(profile, cmsSigCmykData);
    cmsSetPCS(profile, cmsSigLabData);
    cmsWriteTag(profile, cmsSigAToB0Tag, inks_to_lab);
    cmsPipelineFree(inks_to_lab);
    return saved(profile);
}

TEST(PictureKinds, InksOfAProfileAreReadAsTheyPrint)
{
    constexpr std::int64_t kPatch = 16;
    Image inks(kPatch, 4 * kPatch, 4);
    for (std::int64_t y = 0; y < kPatch; ++y)
        for (std::int64_t x = 0; x < inks.W; ++x) // Adobe's mark: inverted; none, cyan, magenta, black
            for (std::int64_t c = 0; c < 4; ++c)
                inks.at(y, x)[c] = x / kPatch == (c < 2 ? c + 1 : c) && c != 2 ? 0 : 255;
    const Folder folder;
    test::write_bytes(folder / "a.jpg", test::cmyk_jpeg(inks, printer()));
    const LoadedPicture loaded = load_picture(folder / "a.jpg");
    EXPECT_EQ(loaded.remark, "");
    EXPECT_TRUE(loaded.extras.profile.empty()) << "a swapped picture is not in these inks";
    const int want[4][3] = {{255, 255, 255}, {119, 119, 119}, {0, 0, 255}, {0, 0, 0}};
    for (std::int64_t patch = 0; patch < 4; ++patch)
        for (int c = 0; c < 3; ++c)
            EXPECT_NEAR(loaded.image.at(8, patch * kPatch + 8)[c], want[patch][c], 3) << patch << ", " << c;

    test::write_bytes(folder / "p3.jpg", test::cmyk_jpeg(inks, display_p3()));
    const LoadedPicture taken = load_picture(folder / "p3.jpg");
    EXPECT_NE(taken.remark.find("its colour profile is not of CMYK pictures; its colours were"), std::string::npos)
        << taken.remark;
    EXPECT_NEAR(taken.image.at(8, kPatch + 8)[2], 0, 3) << "ideal cyan";
}

} // namespace
} // namespace bifrons::data
