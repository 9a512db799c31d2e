// kernels/base/utf8.h - UTF-8 (RFC 3629) in names and files from outside.     Tests  tests/kernels/utf8_test.cpp
#pragma once

#include <string>
#include <string_view>

namespace bifrons {

/// Bytes of the character that begins at `at`; 0 where none does: a stray byte, an overlong form, a surrogate.
std::size_t utf8_length(std::string_view text, std::size_t at);

/// The text as a terminal may have it: control characters but line breaks and tabs, and bytes that are not UTF-8, are
/// written as \x1b.
std::string printable(std::string_view text);

/// Any bytes as UTF-8, such as a file's name: what is no character stands as U+EF80 to U+EFFF, byte by byte, and so do
/// these characters themselves. from_utf8 gives the bytes again.
std::string to_utf8(std::string_view bytes);
std::string from_utf8(std::string_view text);

} // namespace bifrons
