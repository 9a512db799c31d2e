// data/image.h - pictures in memory, and reading and writing picture files.
//
// [H,W,C], C fastest; three channels are in the order blue, green, red. Tests tests/data/image_test.cpp
#pragma once

#include "data/file.h"

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

/// True for a name that ends like a picture this program reads: png, jpg, jpeg, bmp.
bool has_picture_name(const std::filesystem::path& path);

/// Reads a picture as BGR (3 channels). Grey is repeated, 16 bits are rounded to 8, alpha is dropped, and the turn that
/// a camera noted in a JPEG (Exif orientation) is carried out.
/// Throws Error(data): missing, empty, truncated, damaged, not a picture, or more than 2^28 pixels.
Image load_image(const std::filesystem::path& path);
/// The same from bytes; `name` is for messages.
Image decode_image(const std::vector<std::uint8_t>& bytes, const std::string& name);

struct SaveOptions {
    Existing existing = Existing::keep;
    int jpeg_quality = 95;    ///< 1..100
    std::string comment = {}; ///< kept in the file: PNG text chunk "Comment", JPEG comment
};

/// Throws as save_image would for this name: before the work of which the picture is the result.
void check_picture_destination(const std::filesystem::path& path, Existing existing);

/// Writes .png (lossless) or .jpg/.jpeg, whole or not at all. C is 1 or 3.
/// Throws Error(usage) for another ending or an existing file, Error(data) and Error(failed) as write_file does.
void save_image(const std::filesystem::path& path, const Image& image, const SaveOptions& options = {});

} // namespace bifrons::data
