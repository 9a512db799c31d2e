// tests/data/image_test.cpp - picture files: what is read back, and what bad ones say.
#include "data/image.h"

#include "kernels/base/error.h"
#include "tests/data/folder.h"
#include "tests/data/picture_bytes.h"

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

TEST(Image, ChannelsAreBlueGreenRedInMemory)
{
    EXPECT_EQ(decode_image(test::png(1, 1, 8, 2, test::bytes("\xC8\7\x9")), "red").pixels,
              (std::vector<std::uint8_t>{9, 7, 200}));
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
    const auto png = test::png(1, 1, 16, 2, test::bytes("\x01\x82\x01\x80\xFF\xFF"));
    EXPECT_EQ(decode_image(png, "deep").pixels, (std::vector<std::uint8_t>{255, 1, 2}));
}

TEST(Image, AlphaIsKeptBesideThePicture)
{
    const Folder folder;
    test::write_bytes(folder / "a.png", test::png(2, 1, 8, 6, test::bytes(std::string("\1\2\3\x80\4\5\6\0", 8))));
    LoadedPicture loaded = load_picture(folder / "a.png");
    EXPECT_EQ(loaded.image.pixels, (std::vector<std::uint8_t>{3, 2, 1, 6, 5, 4}));
    EXPECT_EQ(loaded.extras.alpha.pixels, (std::vector<std::uint8_t>{128, 0}));
    loaded.image.pixels[0] = 99;
    save_image(folder / "b.png", loaded.image, {.extras = &loaded.extras});
    const LoadedPicture back = load_picture(folder / "b.png");
    EXPECT_EQ(back.image.pixels, (std::vector<std::uint8_t>{99, 2, 1, 6, 5, 4}));
    EXPECT_EQ(back.extras.alpha.pixels, (std::vector<std::uint8_t>{128, 0}));
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
    const auto tiff = test::exif(value, little);
    const std::string exif = std::string("Exif\0\0", 6) + std::string(tiff.begin(), tiff.end());
    jpeg.insert(2, std::string("\xFF\xE1\0", 3) + char(exif.size() + 2) + exif);
    return test::bytes(jpeg);
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

TEST(Image, ExifOfPngIsCarriedOut)
{
    const auto png = test::png(2, 1, 8, 2, test::bytes("\1\1\1\2\2\2"), {{"eXIf", test::exif(6)}});
    const Image turned = decode_image(png, "turned"); // a quarter clockwise
    ASSERT_EQ(turned.H, 2);
    ASSERT_EQ(turned.W, 1);
    EXPECT_EQ(turned.at(0, 0)[0], 1);
    EXPECT_EQ(turned.at(1, 0)[0], 2);
    const Folder folder;
    test::write_bytes(folder / "a.png", png);
    EXPECT_EQ(look_at_picture(folder / "a.png").H, 2);
}

TEST(Image, SizesAreRefusedBeforeDecoding)
{
    const Folder folder;
    const auto large = test::png(16384, 16384, 8, 2, test::bytes("nothing of it"));
    BIFRONS_EXPECT_ERROR(decode_image(large, "large"), data,
                         "large: has 16384x16384 pixels; expected at most 67108864 in all. --max-pixels allows more.");
    save_image(folder / "a.png", pattern(3, 4, 3));
    EXPECT_EQ(load_image(folder / "a.png", 12).W, 4);
    BIFRONS_EXPECT_ERROR(load_image(folder / "a.png", 11), data, "4x3 pixels; expected at most 11");
    std::filesystem::resize_file(folder / "a.png", 97);
    BIFRONS_EXPECT_ERROR(load_image(folder / "a.png", 12), data, "expected a picture of at most 96 B");
}

TEST(Image, APngWhoseDataGoOnIsRefused)
{
    const auto bomb = test::png(1, 1, 8, 0, std::vector<std::uint8_t>(std::size_t(1) << 26));
    ASSERT_LT(bomb.size(), std::size_t(1) << 19);
    BIFRONS_EXPECT_ERROR(decode_image(bomb, "bomb"), data, "after the last row");
}

TEST(Image, AJpegWithTooManyHuffmanCodesIsRefused)
{
    // 16 counts of codes by length, 255 and 248 of them: more than the 256 that a table can hold.
    std::string table = std::string("\0", 1) + std::string(7, '\0') + char(248) + std::string(8, char(255));
    table += std::string(248 + 8 * 255, '\1');
    const std::size_t length = table.size() + 2;
    const std::string jpeg = "\xFF\xD8\xFF\xC4" + std::string{char(length >> 8), char(length & 255)} + table +
                             std::string("\xFF\xC0\0\x0B\x8\0\x10\0\x10\1\1\x11\0\xFF\xDA\0\x8\1\1\0\0\x3F\0", 23) +
                             std::string(400, '\x12') + "\xFF\xD9";
    BIFRONS_EXPECT_ERROR(decode_image(test::bytes(jpeg), "dht"), data, "Huffman table");
}

TEST(Image, DamageWithinAJpegIsFound)
{
    const Folder folder;
    save_image(folder / "a.jpg", pattern(200, 200, 3));
    std::string jpeg = bytes_of(folder / "a.jpg");
    const std::string half = jpeg.substr(0, jpeg.size() / 2) + "\xFF\xD9";
    BIFRONS_EXPECT_ERROR(decode_image(test::bytes(half), "half"), data, "premature end");
}

/// Cyan, magenta, yellow and black as Adobe stores them: what is left white.
TEST(Image, CmykIsConverted)
{
    const Folder folder;
    Image inks(8, 8, 4);
    for (std::size_t i = 0; i < inks.pixels.size(); i += 4) {
        const std::uint8_t orange[] = {255, 128, 0, 200}; // no cyan, half magenta, full yellow, some black
        std::copy_n(orange, 4, &inks.pixels[i]);
    }
    const Image out = decode_image(test::cmyk_jpeg(inks), "cmyk");
    EXPECT_NEAR(out.at(4, 4)[0], 0, 2);
    EXPECT_NEAR(out.at(4, 4)[1], 100, 2); // 128 * 200 / 255
    EXPECT_NEAR(out.at(4, 4)[2], 200, 2);
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
        save_image(folder / name, pattern(8, 8, 3), {.made = {.comment = "synthetic: a test"}});
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
