// data/image.cpp - pictures in memory, and picture files.
#include "data/image.h"

#include "data/picture/picture_reader.h"
#include "kernels/base/error.h"
#if BIFRONS_HAS_MEDIA
#include "data/picture/color_profile.h"
#endif

#include <algorithm>
#include <cctype>
#include <limits>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

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

/// Takes the fourth channel out of the picture; empty where there is none, or nothing shines through.
Image take_alpha(Image& image)
{
    if (image.C != 4) return {0, 0, 1};
    Image color(image.H, image.W, 3), alpha(image.H, image.W, 1);
    for (std::size_t i = 0; i < alpha.pixels.size(); ++i) {
        std::copy_n(&image.pixels[4 * i], 3, &color.pixels[3 * i]);
        alpha.pixels[i] = image.pixels[4 * i + 3];
    }
    image = std::move(color);
    const bool opaque = std::all_of(alpha.pixels.begin(), alpha.pixels.end(), [](std::uint8_t a) { return a == 255; });
    return opaque ? Image(0, 0, 1) : alpha;
}

Image with_alpha(const Image& image, const Image& alpha)
{
    Image out(image.H, image.W, 4);
    for (std::size_t i = 0; i < alpha.pixels.size(); ++i) {
        std::copy_n(&image.pixels[3 * i], 3, &out.pixels[4 * i]);
        out.pixels[4 * i + 3] = alpha.pixels[i];
    }
    return out;
}

/// Converts the picture to sRGB. The profile of a grey picture is not kept: a replaced face has colours.
void convert(LoadedPicture& loaded, const PictureReader& file)
{
    const auto tell = [&](const std::string& fault) { loaded.remark = fault + "; its colours were taken for sRGB"; };
    if (!file.profile_fault.empty()) tell(file.profile_fault);
    if (file.profile.empty()) return;
#if BIFRONS_HAS_MEDIA
    try {
        const ColorProfile profile(file.profile, file.is_grey);
        if (!file.is_grey) loaded.extras.profile = file.profile;
        if (profile.is_srgb()) return;
        Image converted = profile.to_srgb(loaded.image);
        if (!file.is_grey) loaded.extras.in_profile = std::move(loaded.image);
        loaded.image = std::move(converted);
    } catch (const Error& error) {
        tell(error.what());
    }
#else
    tell("this program was built without Little CMS, which reads its colour profile");
#endif
}

/// In the colours of the file that the picture was made from.
Image in_profile(const Image& image, const PictureExtras& extras)
{
    if (extras.in_profile.pixels.empty()) return image;
#if BIFRONS_HAS_MEDIA
    const ColorProfile profile(extras.profile, false);
    const Image before = profile.to_srgb(extras.in_profile);
    Image after = profile.from_srgb(image);
    for (std::size_t i = 0; i < image.pixels.size(); i += 3)
        if (std::equal(&image.pixels[i], &image.pixels[i] + 3, &before.pixels[i]))
            std::copy_n(&extras.in_profile.pixels[i], 3, &after.pixels[i]);
    return after;
#else
    return image;
#endif
}

void check_size(const PictureReader& file, const std::string& name, std::int64_t max_pixels)
{
    BIFRONS_CHECK(data, file.H > 0 && file.W > 0, name, ": has ", file.W, "x", file.H,
                  " pixels; the picture is damaged");
    BIFRONS_CHECK(data, file.W <= max_pixels / file.H, name, ": has ", file.W, "x", file.H,
                  " pixels; expected at most ", max_pixels, " in all. --max-pixels allows more.");
}

LoadedPicture decode(ByteView bytes, const std::string& name, std::int64_t max_pixels)
{
    const std::unique_ptr<PictureReader> file = open_picture(bytes, name);
    check_size(*file, name, max_pixels);
    LoadedPicture loaded;
    loaded.image = file->read();
    loaded.remark = file->remark;
    loaded.image = oriented(std::move(loaded.image), file->orientation);
    loaded.extras.alpha = take_alpha(loaded.image);
    convert(loaded, *file);
    if (file->is_animated) loaded.remark = "is animated, and its first picture was taken";
    return loaded;
}

std::string encode(const fs::path& path, const Image& image, const SaveOptions& options)
{
    PictureNotes notes = {
        .jpeg_quality = options.jpeg_quality, .comment = options.made.comment, .xmp = xmp_packet(options.made)};
    const bool png = lower_ending(path) == ".png";
    const auto encoded = [&](const Image& pixels) {
        return png ? encode_png(pixels, path.string(), notes) : encode_jpeg(pixels, path.string(), notes);
    };
    if (!options.extras) return encoded(image);
    notes.profile = options.extras->profile;
    const Image pixels = in_profile(image, *options.extras);
    return encoded(png && options.extras->alpha.H > 0 ? with_alpha(pixels, options.extras->alpha) : pixels);
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

const std::vector<std::string>& picture_endings()
{
    static const std::vector<std::string> endings = {
        ".png",
        ".jpg",
        ".jpeg",
#if BIFRONS_HAS_MEDIA
        ".bmp",
        ".webp",
        ".tif",
        ".tiff",
        ".heic",
        ".heif",
        ".hif",
        ".avif"
#endif
    };
    return endings;
}

std::string lower_ending(const fs::path& path)
{
    std::string ending = path.extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    return ending;
}

bool has_picture_name(const fs::path& path)
{
    const std::vector<std::string>& known = picture_endings();
    return std::find(known.begin(), known.end(), lower_ending(path)) != known.end();
}

std::unique_ptr<PictureReader> open_picture(ByteView bytes, const std::string& name)
{
    BIFRONS_CHECK(data, !bytes.empty(), name, ": is empty; expected a picture");
    if (bytes.size() > 2 && bytes[0] == 0x89 && bytes[1] == 'P') return open_png(bytes, name);
    if (bytes.size() > 2 && bytes[0] == 0xFF && bytes[1] == 0xD8) return open_jpeg(bytes, name);
#if BIFRONS_HAS_MEDIA
    if (auto other = open_other_picture(bytes, name)) return other;
    if (auto heif = open_heif(bytes, name)) return heif;
    constexpr const char* kKinds = "PNG, JPEG, BMP, WebP, TIFF, HEIC or AVIF";
#else
    constexpr const char* kKinds = "PNG or JPEG";
#endif
    throw Error(ErrorKind::data, str(name, ": cannot be read as a picture; expected ", kKinds));
}

std::vector<std::uint8_t> read_picture_file(const fs::path& path, std::int64_t max_pixels)
{
    constexpr std::int64_t kMostBytes = 8; // of a pixel: four channels of 16 bits
    const std::int64_t most = kMostBytes * max_pixels;
    std::error_code missing; // read_file says so
    const std::uintmax_t size = fs::file_size(path, missing);
    BIFRONS_CHECK(data, missing || size <= std::uintmax_t(most), path.string(), ": has ", human_bytes(double(size)),
                  "; expected a picture of at most ", human_bytes(double(most)), ". --max-pixels allows more.");
    return read_file(path);
}

LoadedPicture load_picture(const fs::path& path, std::int64_t max_pixels)
{
    return decode(read_picture_file(path, max_pixels), path.string(), max_pixels);
}

Image load_image(const fs::path& path, std::int64_t max_pixels)
{
    return load_picture(path, max_pixels).image;
}

Image decode_image(const std::vector<std::uint8_t>& bytes, const std::string& name)
{
    return decode(bytes, name, kMaxPixels).image;
}

PictureHeader look_at_picture(const fs::path& path)
{
    constexpr std::uint64_t kBeginning = 1 << 20;
    const auto look = [&](const std::vector<std::uint8_t>& bytes) -> PictureHeader {
        const std::unique_ptr<PictureReader> file = open_picture(bytes, path.string());
        check_size(*file, path.string(), std::numeric_limits<std::int64_t>::max());
        const bool turned = file->orientation > 4;
        return {turned ? file->W : file->H, turned ? file->H : file->W, file->is_animated};
    };
    try {
        return look(read_file(path, kBeginning));
    } catch (const Error&) {
        return look(read_file(path)); // TIFF may have its header at the end
    }
}

void check_picture_destination(const fs::path& path, Existing existing)
{
    const std::string ending = lower_ending(path);
    BIFRONS_CHECK(usage, ending == ".png" || ending == ".jpg" || ending == ".jpeg", path.string(),
                  ": unknown picture format \"", ending, "\"; expected .png or .jpg");
    check_destination(path, existing);
}

void save_image(const fs::path& path, const Image& image, const SaveOptions& options)
{
    const bool known = image.C == 1 || image.C == 3 || (image.C == 4 && lower_ending(path) == ".png");
    BIFRONS_CHECK(shape, image.H > 0 && image.W > 0 && known, path.string(), ": picture [", image.H, ",", image.W, ",",
                  image.C, "]; expected one or three channels, or four in .png, and at least one pixel");
    check_picture_destination(path, options.existing);
    write_file(path, encode(path, image, options), options.existing);
}

} // namespace bifrons::data
