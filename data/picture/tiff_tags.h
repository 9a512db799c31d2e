// data/picture/tiff_tags.h - the tags of a TIFF file's first picture. Exif data is a TIFF file, too.
#pragma once

#include "data/picture/picture_reader.h"

#include <optional>

namespace bifrons::data {

class TiffTags {
  public:
    enum Tag { width = 256, height = 257, orientation = 274, profile = 34675 };

    explicit TiffTags(ByteView file);
    /// "II*" or "MM" and a star: TIFF, and not BigTIFF.
    static bool starts(ByteView file);

    /// The first value of a tag of whole numbers.
    std::optional<std::int64_t> value(Tag tag) const;
    /// A tag's bytes; empty where it is missing or lies outside the file.
    ByteView bytes(Tag tag) const;

  private:
    std::int64_t read(std::size_t at, std::size_t size) const;
    std::optional<std::size_t> entry(Tag tag) const;

    ByteView file_;
    bool little_;
};

/// Exif's orientation, 1..8; 1 where there is none. `exif` may begin with "Exif", as in JPEG and some WebP files.
int orientation_in(ByteView exif);

} // namespace bifrons::data
