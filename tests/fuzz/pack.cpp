// A pack, and every file that it says it holds. The headers' checksums are made right, or hardly an input would be
// read.
#include "data/pack.h"
#include "tests/fuzz/attempt.h"
#include "tests/fuzz/memory_file.h"

#include <algorithm>
#include <cstdio>

using namespace bifrons;

namespace {

void mend_checksums(std::vector<std::uint8_t>& tar)
{
    constexpr std::size_t kBlock = 512, kSum = 148, kMark = 257;
    for (std::size_t at = 0; at + kBlock <= tar.size(); at += kBlock) {
        std::uint8_t* const header = tar.data() + at;
        if (!std::equal(header + kMark, header + kMark + 5, "ustar")) continue;
        std::fill_n(header + kSum, 8, std::uint8_t(' '));
        unsigned sum = 0;
        for (std::size_t i = 0; i < kBlock; ++i) sum += header[i];
        std::snprintf(reinterpret_cast<char*>(header + kSum), 8, "%06o", sum);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    std::vector<std::uint8_t> tar(bytes, bytes + size);
    mend_checksums(tar);
    const std::string* const path = memory_file(tar.data(), tar.size());
    if (!path) return 0;
    attempt([&] {
        const data::Faceset set = data::load_pack(*path);
        for (const data::FaceRecord& face : set.faces)
            for (const std::string& file : {face.file, face.mask})
                if (!file.empty() && stored_file(set, file).size() > size) __builtin_trap();
    });
    return 0;
}
