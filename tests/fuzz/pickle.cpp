// What DeepFaceLab writes of a face, pickled, inside a sound JPEG; and every number that the values hold.
#include "data/import/pickle.h"
#include "data/file.h"
#include "data/import/deepfacelab.h"
#include "tests/fuzz/attempt.h"

#include <algorithm>

using namespace bifrons;

namespace {

/// The face of tests/data/dfl that has no mask, with these bytes in its APP15 segment.
std::vector<std::uint8_t> picture_with(const std::uint8_t* bytes, std::size_t size)
{
    static const std::vector<std::uint8_t> picture = data::read_file(BIFRONS_DFL "/00001_0.jpg");
    static const std::uint8_t mark[] = {0xFF, 0xEF};
    static const auto segment = std::search(picture.begin(), picture.end(), std::begin(mark), std::end(mark));
    static const auto rest = segment + 2 + (segment[2] << 8 | segment[3]);
    std::vector<std::uint8_t> whole(picture.begin(), segment);
    whole.insert(whole.end(), {0xFF, 0xEF, std::uint8_t((size + 2) >> 8), std::uint8_t(size + 2)});
    whole.insert(whole.end(), bytes, bytes + size);
    whole.insert(whole.end(), rest, picture.end());
    return whole;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    constexpr std::size_t kLongest = 0xFFFF - 2;
    if (size == 0 || size > kLongest) return 0;
    attempt([&] { data::Pickle({bytes, size}, "fuzz").value().numbers("fuzz"); });
    attempt([&] { data::dfl_face(picture_with(bytes, size), "fuzz"); });
    return 0;
}
