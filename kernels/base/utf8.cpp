#include "kernels/base/utf8.h"

#include <cstdint>
#include <cstdio>

namespace bifrons {

std::size_t utf8_length(std::string_view text, std::size_t at)
{
    const auto byte = [&](std::size_t i) { return i < text.size() ? std::uint8_t(text[i]) : std::uint8_t(0); };
    const std::uint8_t first = byte(at);
    if (first < 0x80) return at < text.size() ? 1 : 0;
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    std::uint32_t code = first & (0x7Fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(at + i) & 0xC0) != 0x80) return 0;
        code = code << 6 | (byte(at + i) & 0x3Fu);
    }
    constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool is_surrogate = code >= 0xD800 && code < 0xE000;
    return first >= 0xC0 && first < 0xF8 && code >= kLeast[length] && code <= 0x10FFFF && !is_surrogate ? length : 0;
}

std::string printable(std::string_view text)
{
    const auto is_control = [&](std::size_t at) {
        const auto c = std::uint8_t(text[at]);
        const bool upper = c == 0xC2 && std::uint8_t(text[at + 1]) < 0xA0; // U+0080 to U+009F
        return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7F || upper;
    };
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = utf8_length(text, at);
        if (length > 0 && !is_control(at)) {
            out += text.substr(at, length);
            at += length;
            continue;
        }
        char escaped[8];
        std::snprintf(escaped, sizeof escaped, "\\x%02x", unsigned(std::uint8_t(text[at++])));
        out += escaped;
    }
    return out;
}

namespace {

/// Whether U+EF80 to U+EFFF begins at `at`.
bool stands_for_a_byte(std::string_view text, std::size_t at)
{
    return text.substr(at, 2) == "\xEE\xBE" || text.substr(at, 2) == "\xEE\xBF";
}

} // namespace

std::string to_utf8(std::string_view bytes)
{
    std::string out;
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t length = stands_for_a_byte(bytes, at) ? 0 : utf8_length(bytes, at);
        if (length > 0) {
            out += bytes.substr(at, length);
            at += length;
            continue;
        }
        const unsigned byte = std::uint8_t(bytes[at++]);
        out += '\xEE';
        out += char(0xBC | byte >> 6);
        out += char(0x80 | (byte & 0x3F));
    }
    return out;
}

std::string from_utf8(std::string_view text)
{
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        if (stands_for_a_byte(text, at) && utf8_length(text, at) == 3) {
            out += char((text[at + 1] & 0x03) << 6 | (text[at + 2] & 0x3F));
            at += 3;
            continue;
        }
        out += text[at++];
    }
    return out;
}

} // namespace bifrons
