// tests/data/heif_test.cpp - HEIC and AVIF: the files of tests/data/heif, which make_heif_pictures.py wrote.
#include "data/media/frames.h"
#include "data/media/tone_mapping.h"
#include "kernels/base/error.h"
#include "tests/data/folder.h"
#include "tests/data/picture_bytes.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace bifrons::data {
namespace {

using test::Folder;
namespace fs = std::filesystem;

fs::path file(const std::string& name)
{
    return fs::path(BIFRONS_HEIF_PICTURES) / name;
}

/// Red, green and blue of a pixel are these, but for what YCbCr rounds.
void expect_color(const Image& image, std::int64_t y, std::int64_t x, std::array<int, 3> rgb, int off = 1)
{
    for (std::size_t c = 0; c < 3; ++c)
        EXPECT_NEAR(image.at(y, x)[2 - c], rgb[c], off) << "at " << y << ", " << x << ", channel " << c;
}

constexpr std::array<int, 3> kRed = {200, 40, 40}, kGreen = {40, 200, 40}, kBlue = {40, 40, 200},
                             kYellow = {220, 220, 40};

/// Red and green over blue and yellow, of 112x96, which are turned to the left. Exif says a turn to the right.
TEST(Heif, TilesAreJoinedAndTurnedOnce)
{
    const PictureHeader header = look_at_picture(file("tiles.heic"));
    EXPECT_EQ(header.W, 96);
    EXPECT_EQ(header.H, 112);
    const LoadedPicture loaded = load_picture(file("tiles.heic"));
    EXPECT_EQ(loaded.remark, "");
    const Image& image = loaded.image;
    ASSERT_EQ(image.W, 96);
    ASSERT_EQ(image.H, 112);
    expect_color(image, 0, 0, kGreen);
    expect_color(image, 47, 63, kGreen); // the second row of tiles begins at 64, the second column at 112 - 64
    expect_color(image, 48, 63, kRed);
    expect_color(image, 111, 0, kRed);
    expect_color(image, 47, 64, kYellow);
    expect_color(image, 0, 95, kYellow);
    expect_color(image, 48, 64, kBlue);
    expect_color(image, 111, 95, kBlue);
}

TEST(Heif, MirroredPicturesAreMirrored)
{
    const Image image = load_image(file("mirrored.avif"));
    expect_color(image, 0, 31, kBlue);
    expect_color(image, 31, 32, kRed);
    expect_color(image, 32, 63, kGreen);
}

/// Display P3, once by numbers and once by an ICC profile.
TEST(Heif, ColorsAreReadAsSrgbAndTheProfileIsKept)
{
    for (const char* name : {"p3.avif", "p3-icc.avif"}) {
        const LoadedPicture loaded = load_picture(file(name));
        EXPECT_EQ(loaded.remark, "") << name;
        expect_color(loaded.image, 30, 30, {163, 24, 57}, 2);
        EXPECT_GT(loaded.extras.profile.size(), 400u) << name;
        ASSERT_FALSE(loaded.extras.in_profile.pixels.empty()) << name;
        expect_color(loaded.extras.in_profile, 30, 30, {150, 40, 60});
    }
    EXPECT_TRUE(load_picture(file("mirrored.avif")).extras.profile.empty()) << "sRGB by numbers needs none";
}

TEST(Heif, AlphaIsKeptAndColorsAreNotMultipliedByIt)
{
    const LoadedPicture straight = load_picture(file("alpha.avif"));
    expect_color(straight.image, 5, 5, {10, 20, 30});
    expect_color(straight.image, 5, 60, {40, 50, 60});
    ASSERT_EQ(straight.extras.alpha.W, 64);
    EXPECT_EQ(straight.extras.alpha.at(5, 5)[0], 128);
    EXPECT_EQ(straight.extras.alpha.at(5, 60)[0], 255);
    const LoadedPicture multiplied = load_picture(file("multiplied.avif"));
    expect_color(multiplied.image, 5, 5, {100, 199, 60}, 2);
    EXPECT_EQ(multiplied.extras.alpha.at(5, 5)[0], 128);
}

/// Greys of 7, 255 and 1019 out of 1023.
TEST(Heif, TenBitsAreRounded)
{
    const Image image = load_image(file("deep.heic"));
    expect_color(image, 5, 5, {2, 2, 2}, 0);
    expect_color(image, 5, 30, {64, 64, 64}, 0);
    expect_color(image, 5, 60, {254, 254, 254}, 0);
}

TEST(Heif, HighDynamicRangeIsToneMapped)
{
    DeepImage pixel(1, 1, 3);
    const int levels[] = {600, 400, 448}; // of 1023, BGR
    for (std::size_t c = 0; c < 3; ++c) pixel.pixels[c] = std::uint16_t(levels[c] * kDeepWhite / 1023);
    const Image shown = ToneMapping({.primaries = "bt2020", .transfer = "smpte2084"})(pixel);
    const LoadedPicture loaded = load_picture(file("pq.heic"));
    EXPECT_EQ(loaded.remark, "is of high dynamic range (PQ); it is tone-mapped to BT.709");
    expect_color(loaded.image, 5, 5, {shown.pixels[2], shown.pixels[1], shown.pixels[0]}, 2);
    EXPECT_GT(std::abs(shown.pixels[1] - 400 * 255 / 1023), 5) << "colours that are not mapped would pass";
}

TEST(Heif, OfASequenceTheMainPictureIsTaken)
{
    const Folder folder;
    test::Bytes bytes = read_file(file("p3.avif"));
    std::copy_n("avis", 4, bytes.begin() + 8);
    test::write_bytes(folder / "a.avif", bytes);
    const auto source = open_frames(folder / "a.avif");
    EXPECT_EQ(source->video(), nullptr);
    Frame frame;
    ASSERT_TRUE(source->next(frame));
    EXPECT_EQ(frame.name, "a");
    EXPECT_EQ(source->remarks(),
              (std::vector<std::string>{"a.avif: holds a sequence, of which its main picture was taken"}));
    EXPECT_FALSE(source->next(frame));
}

TEST(Heif, AnEndingSaysNothing)
{
    const Folder folder;
    fs::copy_file(file("mirrored.avif"), folder / "a.jpg");
    expect_color(load_image(folder / "a.jpg"), 0, 0, kBlue);
    save_image(folder / "b.png", Image(2, 3, 3));
    fs::rename(folder / "b.png", folder / "b.heic");
    EXPECT_EQ(load_image(folder / "b.heic").W, 3);
}

TEST(Heif, FilesThatAreNotAsTheySayAreRefusedInOneSentence)
{
    BIFRONS_EXPECT_ERROR(load_image(file("tiles.heic"), 10751), data,
                         "tiles.heic: has 96x112 pixels; expected at most 10751 in all");
    BIFRONS_EXPECT_ERROR(load_image(file("circle.heic")), data, "circle.heic: cannot be decoded (");
    BIFRONS_EXPECT_ERROR(load_image(file("larger.heic")), data, "larger.heic: cannot be decoded (");
    const test::Bytes whole = read_file(file("tiles.heic"));
    for (std::size_t size = 20; size < whole.size(); size += 97)
        BIFRONS_EXPECT_ERROR(decode_image({whole.begin(), whole.begin() + std::ptrdiff_t(size)}, "cut.heic"), data,
                             "cut.heic: cannot be decoded (");
}

TEST(Heif, DamagedBytesNeverCrash)
{
    std::mt19937 random(5);
    for (const char* name : {"tiles.heic", "alpha.avif"}) {
        const test::Bytes whole = read_file(file(name));
        for (int i = 0; i < 30; ++i) {
            test::Bytes bytes = whole;
            for (int n = 0; n < 4; ++n) bytes[random() % bytes.size()] = std::uint8_t(random());
            try {
                decode_image(bytes, name);
            } catch (const Error& error) {
                EXPECT_EQ(error.kind(), ErrorKind::data) << i << ": " << error.what();
            }
        }
    }
}

} // namespace
} // namespace bifrons::data
