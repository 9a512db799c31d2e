// data/picture/picture_reader.h - one picture file of any kind: what its header says, then its pixels.
//
// The header is read first, so that a size can be refused before memory is taken for it. Tests
// tests/data/image_test.cpp
#pragma once

#include "data/image.h"

#include <memory>
#include <span>

namespace bifrons::data {

using ByteView = std::span<const std::uint8_t>;

class PictureReader {
  public:
    virtual ~PictureReader() = default;
    /// As stored, channels BGR or BGRA: grey repeated, 16 bits rounded to 8. Throws Error(data) for a damaged or
    /// truncated picture.
    virtual Image read() = 0;

    std::int64_t H = 0, W = 0;              ///< as stored
    int orientation = 1;                    ///< Exif's, 1..8; known for certain after read()
    std::vector<std::uint8_t> profile = {}; ///< ICC; known for certain after read()
    std::string profile_fault = {};         ///< why read() could not use one that only it could have used
    bool is_grey = false;                   ///< one channel of colour in the file
    bool is_animated = false;
    std::string remark = {};              ///< what a person should know, one sentence; known for certain after read()
    std::vector<std::uint8_t> app15 = {}; ///< of a JPEG: where DeepFaceLab writes what it knows of a face
};

/// By the first bytes, whatever the name. `bytes` must outlive the reader; their beginning is enough for the header.
/// Throws Error(data), which begins with `name`, for other files.
std::unique_ptr<PictureReader> open_picture(ByteView bytes, const std::string& name);

/// A picture's file. Throws Error(data) as read_file does, and for one of more than 8 bytes for each of these pixels.
std::vector<std::uint8_t> read_picture_file(const std::filesystem::path& path, std::int64_t max_pixels);

std::unique_ptr<PictureReader> open_png(ByteView bytes, const std::string& name);
std::unique_ptr<PictureReader> open_jpeg(ByteView bytes, const std::string& name);
#if BIFRONS_HAS_MEDIA
/// BMP, WebP and TIFF, through OpenCV.
std::unique_ptr<PictureReader> open_other_picture(ByteView bytes, const std::string& name);
/// HEIC and AVIF, through libheif; null for other files. Throws Error(data) also where it was not there when this
/// program was built.
std::unique_ptr<PictureReader> open_heif(ByteView bytes, const std::string& name);
#endif

/// What goes into a file beside the pixels.
struct PictureNotes {
    int jpeg_quality = 95;
    std::string comment = {}, xmp = {};
    std::vector<std::uint8_t> profile = {};
};
/// C is 1, 3 or 4. Throws Error(failed).
std::string encode_png(const Image& image, const std::string& name, const PictureNotes& notes);
/// The same; alpha is dropped.
std::string encode_jpeg(const Image& image, const std::string& name, const PictureNotes& notes);

} // namespace bifrons::data
