#include "tests/emulator/fatbinary.h"

#include <cstdint>
#include <cstring>

namespace bifrons::emulator {

namespace {

struct Wrapper {
    std::uint32_t magic, version;
    const std::byte* data;
    const void* file;
};

struct Header {
    std::uint32_t magic;
    std::uint16_t version, header_bytes;
    std::uint64_t bytes; // of the entries
};

struct Entry {
    std::uint16_t kind, attributes;
    std::uint32_t header_bytes;
    std::uint64_t bytes;            // of what follows the entry's header
    std::uint32_t compressed_bytes; // 0: not compressed
};

constexpr std::uint32_t kMagic = 0xba55ed50;
constexpr std::uint16_t kPtx = 1;

} // namespace

std::string ptx_of(const void* wrapper)
{
    const std::byte* at = static_cast<const Wrapper*>(wrapper)->data;
    Header header;
    std::memcpy(&header, at, sizeof header);
    if (header.magic != kMagic) return {};
    const std::byte* const end = at + header.header_bytes + header.bytes;
    for (at += header.header_bytes; at < end;) {
        Entry entry;
        std::memcpy(&entry, at, sizeof entry);
        const auto* text = reinterpret_cast<const char*>(at + entry.header_bytes);
        if (entry.kind == kPtx && entry.compressed_bytes == 0) return {text, strnlen(text, entry.bytes)};
        at += entry.header_bytes + entry.bytes;
    }
    return {};
}

int target_of(const std::string& ptx)
{
    const std::string before = ".target sm_";
    const std::size_t target = ptx.find(before);
    return target == std::string::npos ? 0 : std::stoi(ptx.substr(target + before.size()));
}

} // namespace bifrons::emulator
