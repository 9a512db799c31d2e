#include "data/fingerprint.h"

#include "kernels/base/error.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <vector>

namespace bifrons::data {

std::string fingerprint_of(const std::filesystem::path& file)
{
    constexpr std::uintmax_t kPart = 64 << 10;
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(file, error);
    std::ifstream in(file, std::ios::binary);
    XXH64_state_t state;
    XXH64_reset(&state, 0);
    XXH64_update(&state, &size, sizeof size);
    std::vector<char> part(std::min(size, kPart));
    for (const std::uintmax_t from : {std::uintmax_t(0), (size - part.size()) / 2, size - part.size()}) {
        in.seekg(std::streamoff(from));
        in.read(part.data(), std::streamsize(part.size()));
        XXH64_update(&state, part.data(), part.size());
    }
    BIFRONS_CHECK(data, !error && in, file.string(), ": cannot be read");
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(XXH64_digest(&state)));
    return text;
}

} // namespace bifrons::data
