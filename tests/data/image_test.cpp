// tests/data/image_test.cpp - picture files: what is read back, and what bad ones say.
#include "data/image.h"

#include "kernels/base/error.h"
#include "tests/data/folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <limits>

#include <sys/resource.h>

namespace bifrons::data {
namespace {

using test::Folder;
using test::write_text;

/// Every value different enough to notice a swapped axis or channel.
Image pattern(std::int64_t H, std::int64_t W, std::int64_t C)
{
    Image image(H, W, C);
    for (std::int64_t y = 0; y < H; ++y)
        for (std::int64_t x = 0; x < W; ++x)
            for (std::int64_t c = 0; c < C; ++c) image.at(y, x)[c] = std::uint8_t(40 * c + 5 * y + 3 * x + 1);
    return image;
}

std::string bytes_of(const std::filesystem::path& path)
{
    const auto bytes = read_file(path);
    return {bytes.begin(), bytes.end()};
}

TEST(Image, PngKeepsEveryByteAtOddSizes)
{
    const Folder folder;
    for (const auto& [H, W] : {std::pair{1, 1}, {3, 7}, {17, 5}, {64, 33}}) {
        const Image image = pattern(H, W, 3);
        save_image(folder / "a.png", image, {.existing = Existing::replace});
        const Image back = load_image(folder / "a.png");
        ASSERT_EQ(back.H, H);
        ASSERT_EQ(back.W, W);
        EXPECT_EQ(back.pixels, image.pixels);
    }
}

/// A PNG of one row from its header's depth and colour type, and the row's bytes; checksums are not needed to read it.
std::vector<std::uint8_t> png_row(int width, int depth, int colour, const std::string& row)
{
    const std::string one("\0", 1), size = one + one + one;
    std::string png = "\x89PNG\r\n\x1a\n" + size + "\rIHDR" + size + char(width) + size + "\1";
    png += std::string{char(depth), char(colour)} + size + std::string(4, '\0');
    const int length = int(row.size()) + 1;
    png += size + char(length + 11) + "IDAT\x78\1\1" + char(length) + one + char(~length) + "\xFF" + one + row;
    png += std::string(8, '\0') + std::string(4, '\0') + "IEND" + std::string(4, '\0');
    return {png.begin(), png.end()};
}

TEST(Image, ChannelsAreBlueGreenRedInMemory)
{
    EXPECT_EQ(decode_image(png_row(1, 8, 2, "\xC8\7\x9"), "red").pixels, (std::vector<std::uint8_t>{9, 7, 200}));
}

TEST(Image, GreyIsRepeated)
{
    const Folder folder;
    const Image grey = pattern(4, 3, 1);
    save_image(folder / "grey.png", grey);
    const Image back = load_image(folder / "grey.png");
    ASSERT_EQ(back.C, 3);
    for (std::size_t i = 0; i < grey.pixels.size(); ++i)
        for (std::size_t c = 0; c < 3; ++c) EXPECT_EQ(back.pixels[3 * i + c], grey.pixels[i]);
}

TEST(Image, SixteenBitsAreRounded)
{
    // 0x0180 = 384: 384*255/65535 = 1.494 -> 1;  0x0182 = 386: 1.502 -> 2.
    const auto png = png_row(1, 16, 2, std::string("\x01\x82\x01\x80\xFF\xFF"));
    EXPECT_EQ(decode_image(png, "deep").pixels, (std::vector<std::uint8_t>{255, 1, 2}));
}

TEST(Image, AlphaIsDropped)
{
    const auto png = png_row(2, 8, 6, std::string("\1\2\3\x80\4\5\6\0", 8));
    EXPECT_EQ(decode_image(png, "rgba").pixels, (std::vector<std::uint8_t>{3, 2, 1, 6, 5, 4}));
}

TEST(Image, JpegIsCloseAndSmallerAtLowQuality)
{
    const Folder folder;
    const Image image = pattern(40, 24, 3);
    save_image(folder / "good.jpg", image, {.jpeg_quality = 100});
    save_image(folder / "poor.jpg", image, {.jpeg_quality = 20});
    const Image back = load_image(folder / "good.jpg");
    int worst = 0;
    for (std::size_t i = 0; i < image.pixels.size(); ++i)
        worst = std::max(worst, std::abs(int(back.pixels[i]) - int(image.pixels[i])));
    EXPECT_LE(worst, 4); // quantiser steps of 1 in each of 3 planes, and rounding in the colour transform
    EXPECT_LT(std::filesystem::file_size(folder / "poor.jpg"), std::filesystem::file_size(folder / "good.jpg"));
}

/// A JPEG with an Exif segment that says orientation `value`, in either byte order.
std::vector<std::uint8_t> with_orientation(std::string jpeg, int value, bool little)
{
    const std::string ifd = little ? std::string("II*\0\x8\0\0\0\1\0\x12\1\3\0\1\0\0\0", 18) + char(value)
                                   : std::string("MM\0*\0\0\0\x8\0\1\1\x12\0\3\0\0\0\1\0", 19) + char(value);
    std::string exif = std::string("Exif\0\0", 6) + ifd + std::string(8, '\0');
    exif = std::string("\xFF\xE1\0", 3) + char(exif.size() + 2) + exif;
    jpeg.insert(2, exif);
    return {jpeg.begin(), jpeg.end()};
}

TEST(Image, ExifOrientationIsCarriedOut)
{
    const Folder folder;
    Image image(16, 32, 3); // one bright quarter at the top left
    for (int y = 0; y < 8; ++y)
        for (int x = 0; x < 16; ++x) std::fill_n(image.at(y, x), 3, std::uint8_t(250));
    save_image(folder / "a.jpg", image);
    struct Case {
        int orientation;
        bool swapped, bottom, right;
    };
    for (const Case& c : {Case{1, false, false, false},
                          {2, false, false, true},
                          {3, false, true, true},
                          {4, false, true, false},
                          {5, true, false, false},
                          {6, true, false, true},
                          {7, true, true, true},
                          {8, true, true, false}})
        for (const bool little : {true, false}) {
            const Image turned = decode_image(with_orientation(bytes_of(folder / "a.jpg"), c.orientation, little), "a");
            ASSERT_EQ(turned.H, c.swapped ? 32 : 16) << c.orientation;
            const std::int64_t y = c.bottom ? turned.H - 2 : 1, x = c.right ? turned.W - 2 : 1;
            EXPECT_GT(turned.at(y, x)[0], 200) << c.orientation;
            EXPECT_LT(turned.at(turned.H - 1 - y, turned.W - 1 - x)[0], 50) << c.orientation;
        }
}

TEST(Image, BadFilesSayWhatTheyAre)
{
    const Folder folder;
    save_image(folder / "good.png", pattern(40, 40, 3));
    save_image(folder / "good.jpg", pattern(40, 40, 3));
    const std::string png = bytes_of(folder / "good.png"), jpeg = bytes_of(folder / "good.jpg");

    BIFRONS_EXPECT_ERROR(load_image(folder / "none.png"), data, "does not exist");
    BIFRONS_EXPECT_ERROR(load_image(folder.path()), data, "not a regular file");
    write_text(folder / "empty.png", "");
    BIFRONS_EXPECT_ERROR(load_image(folder / "empty.png"), data, "is empty");
    write_text(folder / "text.png", "not a picture at all, only words in a file\n");
    BIFRONS_EXPECT_ERROR(load_image(folder / "text.png"), data, "cannot be read as a picture");
    for (std::size_t cut : {std::size_t(5), std::size_t(30), png.size() / 2, png.size() - 30}) {
        write_text(folder / "cut.png", png.substr(0, cut));
        BIFRONS_EXPECT_ERROR(load_image(folder / "cut.png"), data, "cut.png");
    }
    for (std::size_t cut : {std::size_t(5), std::size_t(30), jpeg.size() / 2, jpeg.size() - 2}) {
        write_text(folder / "cut.jpg", jpeg.substr(0, cut));
        BIFRONS_EXPECT_ERROR(load_image(folder / "cut.jpg"), data, "cut.jpg");
    }
    write_text(folder / "cut.bmp",
               std::string("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\2\0\0\0\2\0\0\0\1\0\x18\0", 30) +
                   std::string(28, '\0'));
    BIFRONS_EXPECT_ERROR(load_image(folder / "cut.bmp"), data, "truncated");
    std::string damaged = png;
    damaged[60] = char(damaged[60] ^ 0x55);
    write_text(folder / "damaged.png", damaged.substr(0, 40) + std::string(8, '\xFF') + damaged.substr(48));
    BIFRONS_EXPECT_ERROR(load_image(folder / "damaged.png"), data, "damaged.png");
}

TEST(Image, NothingIsOverwrittenUnasked)
{
    const Folder folder;
    save_image(folder / "a.png", pattern(2, 2, 3));
    const std::string before = bytes_of(folder / "a.png");
    BIFRONS_EXPECT_ERROR(save_image(folder / "a.png", pattern(3, 3, 3)), usage, "--overwrite");
    EXPECT_EQ(bytes_of(folder / "a.png"), before);
    BIFRONS_EXPECT_ERROR(save_image(folder / "a.gif", pattern(3, 3, 3)), usage, ".gif");
    BIFRONS_EXPECT_ERROR(save_image(folder / "no" / "a.png", pattern(3, 3, 3)), data, "not a folder");
    std::filesystem::create_directory(folder / "dir.png");
    BIFRONS_EXPECT_ERROR(save_image(folder / "dir.png", pattern(3, 3, 3), {.existing = Existing::replace}), data,
                         "not a regular file");
    EXPECT_EQ(test::entries(folder.path()), 2);
}

TEST(Image, AWriteThatFailsIsReportedAndLeavesTheOldFile)
{
    const Folder folder;
    save_image(folder / "a.png", pattern(2, 2, 3));
    const std::string before = bytes_of(folder / "a.png");
    rlimit sizes{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &sizes), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit tiny{16, sizes.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tiny), 0);
    BIFRONS_EXPECT_ERROR(save_image(folder / "a.png", pattern(9, 9, 3), {.existing = Existing::replace}), failed,
                         std::strerror(EFBIG));
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &sizes), 0);
    std::signal(SIGXFSZ, handler);
    EXPECT_EQ(bytes_of(folder / "a.png"), before);
    EXPECT_EQ(test::entries(folder.path()), 1);
}

TEST(Image, CommentIsInTheFileAndThePictureStaysReadable)
{
    const Folder folder;
    for (const char* name : {"a.png", "a.jpg"}) {
        save_image(folder / name, pattern(8, 8, 3), {.comment = "synthetic: a test"});
        EXPECT_NE(bytes_of(folder / name).find("synthetic: a test"), std::string::npos);
        EXPECT_EQ(load_image(folder / name).W, 8);
    }
}

TEST(Image, BytesAndFloatsConvertExactlyBothWays)
{
    Image image(1, 256, 1);
    for (int i = 0; i < 256; ++i) image.at(0, i)[0] = std::uint8_t(i);
    EXPECT_EQ(to_bytes(to_float(image)).pixels, image.pixels);
    ImageF outside(1, 3, 1);
    outside.pixels = {-0.5f, 1.5f, std::numeric_limits<float>::quiet_NaN()};
    EXPECT_EQ(to_bytes(outside).pixels, (std::vector<std::uint8_t>{0, 255, 0}));
}

} // namespace
} // namespace bifrons::data
