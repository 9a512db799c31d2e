// data/picture/heif.cpp - HEIC and AVIF through libheif, which joins tiles, turns and mirrors.
//
// A file can crash the library (an item that refers to itself) or make it take all memory (pictures that are larger
// than their header says), so it works in a child process. Tests tests/data/heif_test.cpp
#include "data/picture/bytes.h"

#include "kernels/base/error.h"
#if BIFRONS_HAS_HEIF
#include "data/media/tone_mapping.h"
#include "data/picture/apart.h"
#include "data/picture/color_profile.h"

#include <libheif/heif.h>

#include <array>
#include <cstring>
#include <map>
#include <optional>
#endif

#include <initializer_list>

namespace bifrons::data {

namespace {

bool has_brand(ByteView bytes, std::size_t at, std::initializer_list<std::string_view> brands)
{
    return std::any_of(brands.begin(), brands.end(), [&](std::string_view brand) { return has_at(bytes, at, brand); });
}

/// One of its brands, of which the main one comes first, is of pictures.
bool is_heif(ByteView bytes)
{
    constexpr std::size_t kMain = 8, kOthers = 16, kEnd = 256;
    if (!has_at(bytes, 4, "ftyp")) return false;
    const auto is_picture = [&](std::size_t at) {
        return has_brand(bytes, at, {"mif1", "msf1", "heic", "heix", "heim", "heis", "hevc", "hevx", "avif", "avis"});
    };
    bool found = is_picture(kMain);
    const std::size_t end = std::min<std::size_t>(kEnd, bytes[2] << 8 | bytes[3]); // of the box
    for (std::size_t at = kOthers; at < end && !found; at += 4) found = is_picture(at);
    return found;
}

#if BIFRONS_HAS_HEIF

constexpr std::size_t kMostProfile = 1 << 22; // bytes
constexpr Allowance kForHeader = {std::int64_t(1) << 30, 60};
/// Planes of 16 bits in YCbCr, RGB and interleaved, and each once more for a turn.
constexpr std::int64_t kBytesPerPixel = 40;
constexpr std::int64_t kPixelsPerSecond = 1'000'000; // the slowest that is no attack

/// What the child tells of a file.
struct Header {
    int H = 0, W = 0; ///< upright
    int bits = 8;
    bool has_alpha = false, is_premultiplied = false;
    int primaries = 0, transfer = 0; ///< as ISO/IEC 23091-2 numbers them; 0: not said
    Chromaticities colors = {};      ///< of the primaries; zeros: not known
    std::size_t profile_size = 0;    ///< of the ICC profile, which follows
};

void check(const heif_error& error)
{
    BIFRONS_CHECK(data, error.code == heif_error_Ok, error.message);
}

// In the child nothing is freed: that is done when it ends.

heif_image_handle* main_picture(ByteView bytes)
{
    heif_context* context = heif_context_alloc();
    check(heif_context_read_from_memory_without_copy(context, bytes.data(), bytes.size(), nullptr));
    heif_image_handle* picture = nullptr;
    check(heif_context_get_primary_image_handle(context, &picture));
    return picture;
}

void read_header(ByteView bytes, const SharedBytes& to)
{
    const heif_image_handle* picture = main_picture(bytes);
    Header header = {.H = heif_image_handle_get_height(picture),
                     .W = heif_image_handle_get_width(picture),
                     .bits = heif_image_handle_get_luma_bits_per_pixel(picture),
                     .has_alpha = heif_image_handle_has_alpha_channel(picture) != 0,
                     .is_premultiplied = heif_image_handle_is_premultiplied_alpha(picture) != 0};
    heif_color_profile_nclx* colors = nullptr;
    if (heif_image_handle_get_nclx_color_profile(picture, &colors).code == heif_error_Ok) {
        header.primaries = colors->color_primaries;
        header.transfer = colors->transfer_characteristics;
        header.colors = {{colors->color_primary_red_x, colors->color_primary_red_y},
                         {colors->color_primary_green_x, colors->color_primary_green_y},
                         {colors->color_primary_blue_x, colors->color_primary_blue_y},
                         {colors->color_primary_white_x, colors->color_primary_white_y}};
    }
    header.profile_size = heif_image_handle_get_raw_color_profile_size(picture);
    if (header.profile_size > 0 && header.profile_size <= kMostProfile)
        check(heif_image_handle_get_raw_color_profile(picture, to.data() + sizeof header));
    std::memcpy(to.data(), &header, sizeof header);
}

/// The pixels as H*W*C numbers of 16 bits, of which `white` is the largest: BGR and, with four channels, alpha.
void read_pixels(ByteView bytes, const Header& header, int C, std::int64_t white, std::uint16_t* to)
{
    const heif_chroma chroma = header.bits > 8
                                   ? C == 4 ? heif_chroma_interleaved_RRGGBBAA_LE : heif_chroma_interleaved_RRGGBB_LE
                               : C == 4 ? heif_chroma_interleaved_RGBA
                                        : heif_chroma_interleaved_RGB;
    heif_image* image = nullptr;
    check(heif_decode_image(main_picture(bytes), &image, heif_colorspace_RGB, chroma, nullptr));
    const int H = heif_image_get_height(image, heif_channel_interleaved),
              W = heif_image_get_width(image, heif_channel_interleaved);
    BIFRONS_CHECK(data, H == header.H && W == header.W, "its pixels are ", W, "x", H, ", and its header says ",
                  header.W, "x", header.H);
    const std::int64_t most = (1 << heif_image_get_bits_per_pixel_range(image, heif_channel_interleaved)) - 1;
    int stride = 0;
    const std::uint8_t* rows = heif_image_get_plane_readonly(image, heif_channel_interleaved, &stride);
    for (int y = 0; y < H; ++y) {
        const std::uint8_t* row = rows + std::ptrdiff_t(y) * stride;
        for (int x = 0; x < W; ++x, to += C) {
            std::array<std::int64_t, 4> bgra = {};
            for (int c = 0; c < C; ++c) {
                const int i = x * C + (c < 3 ? 2 - c : c);
                bgra[std::size_t(c)] = header.bits > 8 ? row[2 * i] | row[2 * i + 1] << 8 : row[i];
            }
            for (std::size_t c = 0; c < 3 && header.is_premultiplied && bgra[3] > 0; ++c)
                bgra[c] = std::min(most, (bgra[c] * most + bgra[3] / 2) / bgra[3]);
            for (int c = 0; c < C; ++c) to[c] = std::uint16_t((bgra[std::size_t(c)] * white + most / 2) / most);
        }
    }
}

/// As the tone mapping takes them.
ColorTags tags_of(const Header& header)
{
    constexpr int kPq = 16, kHlg = 18, kBt709 = 1, kDisplayP3 = 12;
    return {.primaries = header.primaries == kBt709       ? "bt709"
                         : header.primaries == kDisplayP3 ? "smpte432"
                                                          : "bt2020",
            .transfer = header.transfer == kPq    ? "smpte2084"
                        : header.transfer == kHlg ? "arib-std-b67"
                                                  : ""};
}

/// The ICC profile of what the file names by numbers; empty: colours are those of sRGB.
std::vector<std::uint8_t> profile_named_by(const Header& header)
{
    constexpr int kBt709 = 1;
    static const std::map<int, double> kGammas = {{4, 2.2}, {5, 2.8}, {8, 1.0}}; // others are shown by sRGB's curve
    const auto gamma = kGammas.find(header.transfer);
    const bool has_curve = gamma != kGammas.end();
    if (header.colors.white.y <= 0 || (header.primaries == kBt709 && !has_curve)) return {};
    return profile_of(header.colors, has_curve ? std::optional(gamma->second) : std::nullopt);
}

class HeifReader : public PictureReader {
  public:
    HeifReader(ByteView bytes, const std::string& name) : bytes_(bytes), name_(name)
    {
        const SharedBytes told(sizeof(Header) + kMostProfile);
        check_child(run_apart([&] { read_header(bytes, told); }, kForHeader));
        std::memcpy(&header_, told.data(), sizeof header_);
        H = header_.H;
        W = header_.W;
        if (header_.profile_size > kMostProfile)
            profile_fault = str("its colour profile has ", human_bytes(double(header_.profile_size)));
        else if (header_.profile_size > 0)
            profile.assign(told.data() + sizeof header_, told.data() + sizeof header_ + header_.profile_size);
        is_grey = has_at(profile, 16, "GRAY");
        if (has_brand(bytes, 8, {"msf1", "hevc", "hevx", "avis"}))
            remark = "holds a sequence, of which its main picture was taken";
    }

    Image read() override
    {
        const ColorTags tags = tags_of(header_);
        const std::string hdr = hdr_of(tags);
        const int C = header_.has_alpha && hdr.empty() ? 4 : 3;
        const std::size_t size = 2 * std::size_t(H * W * C);
        const SharedBytes shared(size);
        const auto work = [&] {
            read_pixels(bytes_, header_, C, hdr.empty() ? 65535 : kDeepWhite,
                        reinterpret_cast<std::uint16_t*>(shared.data()));
        };
        check_child(run_apart(
            work, {kForHeader.bytes + kBytesPerPixel * H * W, kForHeader.seconds + H * W / kPixelsPerSecond}));
        DeepImage pixels(H, W, C); // now, as the header alone may lie
        std::memcpy(pixels.pixels.data(), shared.data(), size);
        if (hdr.empty()) {
            if (profile.empty()) profile = profile_named_by(header_);
            return to_bytes(pixels);
        }
        remark = str("is of high dynamic range (", hdr, "); it is tone-mapped to BT.709",
                     header_.has_alpha ? ", and its alpha is left out" : "");
        profile.clear();
        return ToneMapping(tags)(pixels);
    }

  private:
    void check_child(const std::string& reason) const
    {
        BIFRONS_CHECK(data, reason.empty(), name_, ": cannot be decoded (", reason,
                      "); the picture is damaged, truncated or of a rare form");
    }

    ByteView bytes_;
    std::string name_;
    Header header_;
};

#endif

} // namespace

std::unique_ptr<PictureReader> open_heif(ByteView bytes, const std::string& name)
{
    if (!is_heif(bytes)) return nullptr;
#if BIFRONS_HAS_HEIF
    return std::make_unique<HeifReader>(bytes, name);
#else
    throw Error(ErrorKind::data, str(name, ": is HEIC or AVIF, and this program was built without libheif, which "
                                           "reads them. Convert it, for example by heif-convert."));
#endif
}

} // namespace bifrons::data
