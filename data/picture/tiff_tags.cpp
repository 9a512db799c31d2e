// data/picture/tiff_tags.cpp - the tags of a TIFF file's first picture.
#include "data/picture/tiff_tags.h"

#include <algorithm>
#include <array>

namespace bifrons::data {

TiffTags::TiffTags(ByteView file) : file_(file), little_(!file.empty() && file[0] == 'I') {}

bool TiffTags::starts(ByteView file)
{
    constexpr std::array<std::uint8_t, 4> kLittle = {'I', 'I', 42, 0}, kBig = {'M', 'M', 0, 42};
    return file.size() >= 8 && (std::equal(kLittle.begin(), kLittle.end(), file.begin()) ||
                                std::equal(kBig.begin(), kBig.end(), file.begin()));
}

/// 0 outside the file.
std::int64_t TiffTags::read(std::size_t at, std::size_t size) const
{
    std::int64_t value = 0;
    if (at > file_.size() || size > file_.size() - at) return 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | file_[little_ ? at + size - 1 - i : at + i];
    return value;
}

std::optional<std::size_t> TiffTags::entry(Tag tag) const
{
    if (!starts(file_)) return {};
    const auto directory = std::size_t(read(4, 4));
    for (std::int64_t i = 0; i < read(directory, 2); ++i) {
        const std::size_t at = directory + 2 + 12 * std::size_t(i);
        if (read(at, 2) == tag) return at;
    }
    return {};
}

std::optional<std::int64_t> TiffTags::value(Tag tag) const
{
    constexpr std::int64_t kShort = 3;
    const std::optional<std::size_t> at = entry(tag);
    if (!at) return {};
    return read(*at + 8, read(*at + 2, 2) == kShort ? 2 : 4);
}

ByteView TiffTags::bytes(Tag tag) const
{
    const std::optional<std::size_t> at = entry(tag);
    if (!at) return {};
    const auto count = std::size_t(read(*at + 4, 4)), from = std::size_t(read(*at + 8, 4));
    if (from > file_.size() || count > file_.size() - from) return {};
    return file_.subspan(from, count);
}

int orientation_in(ByteView exif)
{
    constexpr std::array<std::uint8_t, 6> kMark = {'E', 'x', 'i', 'f', 0, 0};
    if (exif.size() > kMark.size() && std::equal(kMark.begin(), kMark.end(), exif.begin()))
        exif = exif.subspan(kMark.size());
    const std::int64_t found = TiffTags(exif).value(TiffTags::orientation).value_or(1);
    return found >= 1 && found <= 8 ? int(found) : 1;
}

} // namespace bifrons::data
