// tests/fuzz/memory_file.h - an input as a file that is in no folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

namespace bifrons {

/// Its path. The next one takes its place.
inline const std::string* memory_file(const std::uint8_t* bytes, std::size_t size)
{
    static const int memory = memfd_create("input", 0);
    static const std::string path = "/proc/self/fd/" + std::to_string(memory);
    const bool written = ftruncate(memory, 0) == 0 && pwrite(memory, bytes, size, 0) == ssize_t(size);
    if (!written) std::abort(); // or nothing would be tested
    return &path;
}

} // namespace bifrons
