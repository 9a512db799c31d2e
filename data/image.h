// data/image.h - pictures in memory, and reading and writing picture files.
//
// [H,W,C], C fastest; three channels are in the order blue, green, red. Tests tests/data/image_test.cpp
#pragma once

#include "data/file.h"
#include "data/provenance.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bifrons::data {

template <class T>
struct Picture {
    std::int64_t H = 0, W = 0, C = 3;
    std::vector<T> pixels = {}; ///< H*W*C

    Picture() = default;
    Picture(std::int64_t height, std::int64_t width, std::int64_t channels)
        : H(height), W(width), C(channels), pixels(std::size_t(height * width * channels))
    {
    }
    T* at(std::int64_t y, std::int64_t x) { return &pixels[std::size_t((y * W + x) * C)]; }
    const T* at(std::int64_t y, std::int64_t x) const { return &pixels[std::size_t((y * W + x) * C)]; }
};

using Image = Picture<std::uint8_t>; ///< 0..255
using ImageF = Picture<float>;       ///< 0..1

/// 0..255 -> 0..1.
ImageF to_float(const Image& image);
/// 0..1 -> 0..255, rounded to nearest; values outside are clipped, NaN becomes 0.
Image to_bytes(const ImageF& image);

/// Endings of the pictures that this program reads: .png, .jpg, .jpeg, with media also .webp, .heic and others.
const std::vector<std::string>& picture_endings();
/// True for a name with one of them, in upper or lower case.
bool has_picture_name(const std::filesystem::path& path);
/// The ending in lower case: ".png".
std::string lower_ending(const std::filesystem::path& path);

/// The most pixels of a picture unless told otherwise: those of 8K video, and of most cameras.
inline constexpr std::int64_t kMaxPixels = std::int64_t(1) << 26;
/// The most that one can be told.
inline constexpr std::int64_t kMostPixels = std::int64_t(1) << 32;

/// What a picture's file holds beside BGR in sRGB.
struct PictureExtras {
    Image alpha = {0, 0, 1};                ///< opacity; empty: opaque
    std::vector<std::uint8_t> profile = {}; ///< ICC; empty: sRGB
    Image in_profile = {0, 0, 3};           ///< BGR in the profile's colours; empty: where they are those of sRGB
};

struct LoadedPicture {
    Image image = {};
    PictureExtras extras = {};
    std::string remark = {}; ///< what a person should know: one sentence, without the file's name
};

/// Reads a picture as BGR (3 channels) in sRGB, upright as Exif says. Grey is repeated, 16 bits are rounded to 8.
/// Its size is looked at before it is decoded. Throws Error(data): missing, empty, truncated, damaged, not a picture,
/// or one of more than max_pixels, or than 8 bytes for each of those.
LoadedPicture load_picture(const std::filesystem::path& path, std::int64_t max_pixels = kMaxPixels);
/// The same without extras.
Image load_image(const std::filesystem::path& path, std::int64_t max_pixels = kMaxPixels);
/// The same from bytes; `name` is for messages.
Image decode_image(const std::vector<std::uint8_t>& bytes, const std::string& name);

/// Of what the file's beginning says: H, W as they will be read, and whether it holds more pictures than one.
struct PictureHeader {
    std::int64_t H = 0, W = 0;
    bool is_animated = false;
};
/// Throws as load_picture does where that can be seen in the header.
PictureHeader look_at_picture(const std::filesystem::path& path);

struct SaveOptions {
    Existing existing = Existing::keep;
    int jpeg_quality = 95; ///< 1..100
    Provenance made = {};  ///< kept in the file: a comment, and XMP
    /// Of the picture that this one was made from: its profile is kept (JPEG and PNG) and its alpha (PNG). Pixels that
    /// did not change keep the file's own colours, and all keep theirs to the eye.
    const PictureExtras* extras = nullptr;
};

/// Throws as save_image would for this name: before the work of which the picture is the result.
void check_picture_destination(const std::filesystem::path& path, Existing existing);

/// Writes .png (lossless) or .jpg/.jpeg, whole or not at all. C is 1, 3, or in .png 4: BGR and alpha; with
/// extras, which are of its size, 3.
/// Throws Error(usage) for another ending or an existing file, Error(data) and Error(failed) as write_file does.
void save_image(const std::filesystem::path& path, const Image& image, const SaveOptions& options = {});

} // namespace bifrons::data
