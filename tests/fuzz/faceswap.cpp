// What faceswap writes of a face, as Python prints it, inside a sound PNG; and every number that the values hold.
#include "data/import/faceswap.h"

#include "data/file.h"
#include "data/import/literal.h"
#include "data/picture/picture_reader.h"
#include "tests/fuzz/attempt.h"

using namespace bifrons;

namespace {

/// A small PNG with these bytes in faceswap's chunk. libpng passes over such chunks, so the checksum may be any.
std::vector<std::uint8_t> picture_with(const std::uint8_t* bytes, std::size_t size)
{
    static const std::string picture = data::encode_png(data::Image(16, 16, 3), "fuzz", {});
    static const std::size_t pixels = picture.find("IDAT") - 4;
    const std::string head("iTXtfaceswap\0\0\0\0\0", 17);
    const std::size_t length = head.size() - 4 + size;
    std::vector<std::uint8_t> whole(picture.begin(), picture.begin() + std::ptrdiff_t(pixels));
    for (const int shift : {24, 16, 8, 0}) whole.push_back(std::uint8_t(length >> shift));
    whole.insert(whole.end(), head.begin(), head.end());
    whole.insert(whole.end(), bytes, bytes + size);
    whole.insert(whole.end(), 4, 0);
    whole.insert(whole.end(), picture.begin() + std::ptrdiff_t(pixels), picture.end());
    return whole;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(bytes), size);
    attempt([&] { data::Literal(text, "fuzz").value().numbers("fuzz"); });
    attempt([&] { data::faceswap_data({bytes, size}); });
    attempt([&] { data::faceswap_face(picture_with(bytes, size), "fuzz"); });
    return 0;
}
