// data/image.cpp - reading and writing picture files through stb.
#include "data/image.h"

#include "kernels/base/error.h"

#define STBI_NO_STDIO
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image.h>
#include <stb/stb_image_write.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>
#include <memory>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

using Bytes = std::vector<std::uint8_t>;
constexpr std::int64_t kMaxPixels = std::int64_t(1) << 28;

std::uint32_t little(const std::uint8_t* p, int n)
{
    std::uint32_t value = 0;
    for (int i = n - 1; i >= 0; --i) value = value << 8 | p[i];
    return value;
}

std::uint32_t big(const std::uint8_t* p, int n)
{
    std::uint32_t value = 0;
    for (int i = 0; i < n; ++i) value = value << 8 | p[i];
    return value;
}

bool is_jpeg(const Bytes& b)
{
    return b.size() > 3 && b[0] == 0xFF && b[1] == 0xD8 && b[2] == 0xFF;
}

/// Calls visit(marker, payload, length) for each JPEG segment before the first scan; returns where that scan starts.
template <class Visit>
std::size_t walk_jpeg(const Bytes& b, const Visit& visit)
{
    std::size_t i = 2;
    while (i + 4 <= b.size() && b[i] == 0xFF) {
        const std::size_t length = big(&b[i + 2], 2);
        if (length < 2 || i + 2 + length > b.size() || b[i + 1] == 0xDA) return i;
        visit(b[i + 1], &b[i + 4], length - 2);
        i += 2 + length;
    }
    return i;
}

/// Exif orientation 1..8 in an APP1 payload; 1 when there is none.
int exif_orientation(const std::uint8_t* p, std::size_t n)
{
    if (n < 14 || std::string(p, p + 4) != "Exif") return 1;
    const std::uint8_t* tiff = p + 6;
    const std::size_t size = n - 6;
    const bool is_little = tiff[0] == 'I';
    const auto read = [&](std::size_t at, int bytes) {
        if (at + std::size_t(bytes) > size) return 0u;
        return is_little ? little(tiff + at, bytes) : big(tiff + at, bytes);
    };
    const std::size_t ifd = read(4, 4);
    for (std::size_t entry = 0; entry < read(ifd, 2); ++entry) {
        const std::size_t at = ifd + 2 + 12 * entry;
        if (read(at, 2) == 0x0112) return std::clamp(int(read(at + 8, 2)), 1, 8);
    }
    return 1;
}

int orientation(const Bytes& bytes)
{
    int found = 1;
    if (is_jpeg(bytes))
        walk_jpeg(bytes, [&](int marker, const std::uint8_t* p, std::size_t n) {
            if (marker == 0xE1 && found == 1) found = exif_orientation(p, n);
        });
    return found;
}

/// The picture as it is meant to be seen. Exif: 1-4 keep the axes, 5-8 swap them.
Image oriented(Image image, int orientation)
{
    if (orientation == 1) return image;
    const bool swap = orientation >= 5;
    const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    Image out(swap ? image.W : image.H, swap ? image.H : image.W, image.C);
    for (std::int64_t y = 0; y < out.H; ++y)
        for (std::int64_t x = 0; x < out.W; ++x) {
            const std::int64_t v = swap ? x : y, u = swap ? y : x;
            const std::uint8_t* from = image.at(flip_y ? image.H - 1 - v : v, flip_x ? image.W - 1 - u : u);
            std::copy_n(from, image.C, out.at(y, x));
        }
    return out;
}

/// stb fills up what is missing at the end of a JPEG or BMP; here it is an error.
bool is_truncated(const Bytes& b)
{
    if (is_jpeg(b)) {
        const std::size_t scan = walk_jpeg(b, [](int, const std::uint8_t*, std::size_t) {});
        constexpr std::array<std::uint8_t, 2> kEnd = {0xFF, 0xD9};
        return std::search(b.begin() + std::ptrdiff_t(scan), b.end(), kEnd.begin(), kEnd.end()) == b.end();
    }
    if (b.size() > 1 && b[0] == 'B' && b[1] == 'M') {
        if (b.size() < 34) return true;
        const bool compressed = little(&b[30], 4) == 1 || little(&b[30], 4) == 2;
        const std::int64_t width = std::int32_t(little(&b[18], 4)), height = std::int32_t(little(&b[22], 4));
        const std::int64_t row = (width * little(&b[28], 2) + 31) / 32 * 4;
        return !compressed && std::int64_t(little(&b[10], 4)) + row * std::abs(height) > std::int64_t(b.size());
    }
    return false;
}

void swap_red_and_blue(std::uint8_t* pixels, std::int64_t count)
{
    for (std::int64_t i = 0; i < count; ++i) std::swap(pixels[3 * i], pixels[3 * i + 2]);
}

/// RGB bytes out of stb, 16 bits rounded to 8.
bool decode_rgb(const Bytes& bytes, Image& image)
{
    const stbi_uc* data = bytes.data();
    const int size = int(bytes.size());
    int width = 0, height = 0, channels = 0;
    const auto take = [&](auto* decoded, const auto& to_byte) {
        using Sample = std::remove_pointer_t<decltype(decoded)>;
        const std::unique_ptr<Sample, decltype(&stbi_image_free)> owner(decoded, &stbi_image_free);
        if (decoded == nullptr) return false;
        image = Image(height, width, 3);
        std::transform(decoded, decoded + image.pixels.size(), image.pixels.begin(), to_byte);
        return true;
    };
    if (stbi_is_16_bit_from_memory(data, size))
        return take(stbi_load_16_from_memory(data, size, &width, &height, &channels, 3),
                    [](stbi_us v) { return std::uint8_t((v * 255u + 32767u) / 65535u); });
    return take(stbi_load_from_memory(data, size, &width, &height, &channels, 3), [](stbi_uc v) { return v; });
}

void append(void* out, void* bytes, int size)
{
    static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), std::size_t(size));
}

void append_big32(std::string& out, std::uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8) out += char(value >> shift & 0xFF);
}

std::uint32_t crc32(const std::string& bytes)
{
    std::uint32_t crc = ~0u;
    for (const char byte : bytes) {
        crc ^= std::uint8_t(byte);
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0u);
    }
    return ~crc;
}

/// A tEXt chunk behind the header chunk (PNG specification, 2nd edition, 11.3.4.3).
void insert_png_comment(std::string& file, const std::string& comment)
{
    constexpr std::size_t kAfterHeader = 8 + 25;
    const std::string body = std::string("tEXtComment") + '\0' + comment;
    std::string chunk;
    append_big32(chunk, std::uint32_t(body.size() - 4));
    chunk += body;
    append_big32(chunk, crc32(body));
    file.insert(kAfterHeader, chunk);
}

/// A COM segment behind the start marker.
void insert_jpeg_comment(std::string& file, const std::string& comment)
{
    const std::size_t length = std::min<std::size_t>(comment.size(), 65533) + 2;
    std::string segment = {char(0xFF), char(0xFE), char(length >> 8), char(length & 0xFF)};
    file.insert(2, segment + comment.substr(0, length - 2));
}

std::string lower_extension(const fs::path& path)
{
    std::string ending = path.extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    return ending;
}

std::string encode(const fs::path& path, const Image& image, const SaveOptions& options)
{
    Image rgb = image;
    if (image.C == 3) swap_red_and_blue(rgb.pixels.data(), image.H * image.W);
    const int width = int(image.W), height = int(image.H), channels = int(image.C);
    const bool png = lower_extension(path) == ".png";
    std::string file;
    const int done =
        png ? stbi_write_png_to_func(append, &file, width, height, channels, rgb.pixels.data(), 0)
            : stbi_write_jpg_to_func(append, &file, width, height, channels, rgb.pixels.data(), options.jpeg_quality);
    BIFRONS_CHECK(failed, done != 0, path.string(), ": a picture of ", width, "x", height, " cannot be encoded");
    if (!options.comment.empty())
        png ? insert_png_comment(file, options.comment) : insert_jpeg_comment(file, options.comment);
    return file;
}

} // namespace

ImageF to_float(const Image& image)
{
    ImageF out(image.H, image.W, image.C);
    std::transform(image.pixels.begin(), image.pixels.end(), out.pixels.begin(),
                   [](std::uint8_t v) { return float(v) / 255.0f; });
    return out;
}

Image to_bytes(const ImageF& image)
{
    Image out(image.H, image.W, image.C);
    std::transform(image.pixels.begin(), image.pixels.end(), out.pixels.begin(),
                   [](float v) { return v > 0 ? std::uint8_t(std::min(v, 1.0f) * 255.0f + 0.5f) : std::uint8_t(0); });
    return out;
}

bool has_picture_name(const fs::path& path)
{
    constexpr std::array<const char*, 4> kEndings = {".png", ".jpg", ".jpeg", ".bmp"};
    const std::string ending = lower_extension(path);
    return std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
}

Image load_image(const fs::path& path)
{
    return decode_image(read_file(path), path.string());
}

Image decode_image(const std::vector<std::uint8_t>& bytes, const std::string& name)
{
    BIFRONS_CHECK(data, !bytes.empty(), name, ": is empty; expected a picture");
    BIFRONS_CHECK(data, bytes.size() <= std::size_t(std::numeric_limits<int>::max()), name, ": has ", bytes.size(),
                  " bytes; expected at most 2 GiB");
    int width = 0, height = 0, channels = 0;
    const bool known = stbi_info_from_memory(bytes.data(), int(bytes.size()), &width, &height, &channels);
    BIFRONS_CHECK(data, known, name, ": cannot be read as a picture (", stbi_failure_reason(),
                  "); expected PNG, JPEG or BMP");
    BIFRONS_CHECK(data, std::int64_t(width) * height <= kMaxPixels, name, ": has ", width, "x", height,
                  " pixels; expected at most ", kMaxPixels);
    BIFRONS_CHECK(data, !is_truncated(bytes), name, ": ends early; the picture is truncated");
    Image image;
    BIFRONS_CHECK(data, decode_rgb(bytes, image), name, ": cannot be decoded (", stbi_failure_reason(),
                  "); the picture is damaged or truncated");
    swap_red_and_blue(image.pixels.data(), image.H * image.W);
    return oriented(std::move(image), orientation(bytes));
}

void check_picture_destination(const fs::path& path, Existing existing)
{
    const std::string ending = lower_extension(path);
    BIFRONS_CHECK(usage, ending == ".png" || ending == ".jpg" || ending == ".jpeg", path.string(),
                  ": unknown picture format \"", ending, "\"; expected .png or .jpg");
    check_destination(path, existing);
}

void save_image(const fs::path& path, const Image& image, const SaveOptions& options)
{
    BIFRONS_CHECK(shape, image.H > 0 && image.W > 0 && (image.C == 1 || image.C == 3), path.string(), ": picture [",
                  image.H, ",", image.W, ",", image.C, "]; expected one or three channels and at least one pixel");
    check_picture_destination(path, options.existing);
    write_file(path, encode(path, image, options), options.existing);
}

} // namespace bifrons::data
