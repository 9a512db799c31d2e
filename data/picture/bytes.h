// data/picture/bytes.h - what stands in a file's bytes, which may end before it.
#pragma once

#include "data/picture/picture_reader.h"

#include <algorithm>
#include <string_view>

namespace bifrons::data {

inline bool has_at(ByteView bytes, std::size_t at, std::string_view text)
{
    return bytes.size() >= at + text.size() && std::equal(text.begin(), text.end(), bytes.begin() + std::ptrdiff_t(at));
}

/// A little-endian number; 0 outside.
inline std::int64_t number(ByteView bytes, std::size_t at, std::size_t size)
{
    std::int64_t value = 0;
    for (std::size_t i = size; i-- > 0;) value = value << 8 | (at + i < bytes.size() ? bytes[at + i] : 0);
    return value;
}

} // namespace bifrons::data
