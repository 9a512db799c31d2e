// data/picture/jpeg.cpp - JPEG through libjpeg-turbo.
//
// libjpeg leaves by longjmp, so functions that call it hold nothing that has a destructor.
#include "data/picture/tiff_tags.h"
#if BIFRONS_HAS_MEDIA
#include "data/picture/color_profile.h"
#endif
#include "kernels/base/error.h"

#include <csetjmp>
#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>
// After jpeglib.h, which it needs.
#include <jerror.h>

#include <algorithm>
#include <array>
#include <utility>

namespace bifrons::data {

namespace {

/// The library's state and where to go when it fails. What it would print is kept as text.
struct Errors {
    jpeg_error_mgr manager = {};
    std::jmp_buf end = {};
    std::array<char, JMSG_LENGTH_MAX> text = {};
};

[[noreturn]] void fail(j_common_ptr jpeg)
{
    auto* errors = reinterpret_cast<Errors*>(jpeg->err);
    jpeg->err->format_message(jpeg, errors->text.data());
    std::longjmp(errors->end, 1);
}

/// libjpeg fills up what is missing and calls that a warning; here it is an error.
void heed(j_common_ptr jpeg, int level)
{
    constexpr std::array kDamage = {JWRN_JPEG_EOF, JWRN_HIT_MARKER, JWRN_HUFF_BAD_CODE, JWRN_MUST_RESYNC,
                                    JWRN_ARITH_BAD_CODE};
    if (level < 0 && std::find(kDamage.begin(), kDamage.end(), jpeg->err->msg_code) != kDamage.end()) fail(jpeg);
}

jpeg_error_mgr* prepared(Errors& errors)
{
    jpeg_std_error(&errors.manager);
    errors.manager.error_exit = fail;
    errors.manager.emit_message = heed;
    return &errors.manager;
}

/// A progressive picture may have any number of scans, each as much work as the whole; cameras write about ten.
void count_scans(j_common_ptr jpeg)
{
    constexpr int kMost = 200;
    const auto* decoder = reinterpret_cast<j_decompress_ptr>(jpeg);
    if (decoder->input_scan_number > kMost) ERREXIT(jpeg, JERR_BAD_PROGRESSION);
}

/// With inks that take all of one colour and nothing else.
Image ideally_printed(const Image& inks)
{
    Image image(inks.H, inks.W, 3);
    for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
        const std::uint8_t* ink = &inks.pixels[i / 3 * 4];
        for (std::size_t c = 0; c < 3; ++c)
            image.pixels[i + 2 - c] = std::uint8_t(((255 - ink[c]) * (255 - ink[3]) + 127) / 255);
    }
    return image;
}

class JpegReader : public PictureReader {
  public:
    JpegReader(ByteView bytes, const std::string& name) : bytes_(bytes), name_(name)
    {
        jpeg_.err = prepared(errors_);
        jpeg_create_decompress(&jpeg_);
        if (read_header()) {
            take_notes();
            return;
        }
        jpeg_destroy_decompress(&jpeg_);
        refuse();
    }
    ~JpegReader() override { jpeg_destroy_decompress(&jpeg_); }
    JpegReader(const JpegReader&) = delete;
    JpegReader& operator=(const JpegReader&) = delete;

    Image read() override
    {
        const bool is_cmyk = jpeg_.out_color_space == JCS_CMYK;
        Image image(H, W, is_cmyk ? 4 : 3);
        if (!read_rows(image)) refuse();
        return is_cmyk ? printed(std::move(image)) : image;
    }

  private:
    [[noreturn]] void refuse() const
    {
        throw Error(ErrorKind::data,
                    str(name_, ": cannot be decoded (", errors_.text.data(), "); the picture is damaged or truncated"));
    }

    bool read_header()
    {
        constexpr unsigned kLongest = 0xFFFF;
        if (setjmp(errors_.end)) return false;
        jpeg_mem_src(&jpeg_, bytes_.data(), static_cast<unsigned long>(bytes_.size()));
        jpeg_save_markers(&jpeg_, JPEG_APP0 + 1, kLongest); // Exif
        jpeg_save_markers(&jpeg_, JPEG_APP0 + 2, kLongest); // ICC
        jpeg_save_markers(&jpeg_, JPEG_APP0 + 15, kLongest);
        jpeg_read_header(&jpeg_, TRUE);
        H = jpeg_.image_height;
        W = jpeg_.image_width;
        is_grey = jpeg_.num_components == 1;
        jpeg_.out_color_space = jpeg_.num_components == 4 ? JCS_CMYK : JCS_EXT_BGR;
        jpeg_.progress = &progress_;
        progress_.progress_monitor = count_scans;
        return true;
    }

    void take_notes()
    {
        for (const jpeg_marker_struct* marker = jpeg_.marker_list; marker; marker = marker->next) {
            if (marker->marker == JPEG_APP0 + 1 && orientation == 1)
                orientation = orientation_in({marker->data, marker->data_length});
            if (marker->marker == JPEG_APP0 + 15) app15.assign(marker->data, marker->data + marker->data_length);
        }
        JOCTET* data = nullptr;
        unsigned length = 0;
        if (jpeg_read_icc_profile(&jpeg_, &data, &length)) profile.assign(data, data + length);
        std::free(data);
    }

    bool read_rows(Image& image)
    {
        if (setjmp(errors_.end)) return false;
        jpeg_start_decompress(&jpeg_);
        while (jpeg_.output_scanline < jpeg_.output_height) {
            JSAMPROW row = image.at(jpeg_.output_scanline, 0);
            jpeg_read_scanlines(&jpeg_, &row, 1);
        }
        jpeg_finish_decompress(&jpeg_);
        return true;
    }

    /// Cyan, magenta, yellow and black -> BGR, by the profile where there is one.
    Image printed(Image inks)
    {
        if (jpeg_.saw_Adobe_marker) // it stores what is left white
            for (std::uint8_t& ink : inks.pixels) ink = std::uint8_t(255 - ink);
#if BIFRONS_HAS_MEDIA
        if (const std::vector<std::uint8_t> icc = std::exchange(profile, {}); !icc.empty()) {
            try {
                return srgb_of_inks(inks, icc);
            } catch (const Error& error) {
                profile_fault = error.what();
            }
        }
#endif
        return ideally_printed(inks);
    }

    ByteView bytes_;
    std::string name_;
    Errors errors_;
    jpeg_progress_mgr progress_ = {};
    jpeg_decompress_struct jpeg_ = {};
};

/// The bytes are the caller's to free, even on failure.
bool write(jpeg_compress_struct& jpeg, Errors& errors, const Image& image, const PictureNotes& notes,
           unsigned char** bytes, unsigned long* size)
{
    constexpr std::size_t kLongest = 65533;
    const std::string xmp = std::string("http://ns.adobe.com/xap/1.0/\0", 29) + notes.xmp; // freed on failure, too
    if (setjmp(errors.end)) return false;
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, bytes, size);
    jpeg.image_width = JDIMENSION(image.W);
    jpeg.image_height = JDIMENSION(image.H);
    jpeg.input_components = int(image.C);
    jpeg.in_color_space = image.C == 1 ? JCS_GRAYSCALE : image.C == 3 ? JCS_EXT_BGR : JCS_EXT_BGRX;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, notes.jpeg_quality, TRUE);
    if (notes.jpeg_quality > 90) jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1; // 4:4:4
    jpeg_start_compress(&jpeg, TRUE);
    if (!notes.xmp.empty())
        jpeg_write_marker(&jpeg, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(xmp.data()), unsigned(xmp.size()));
    if (!notes.comment.empty())
        jpeg_write_marker(&jpeg, JPEG_COM, reinterpret_cast<const JOCTET*>(notes.comment.data()),
                          unsigned(std::min(notes.comment.size(), kLongest)));
    if (!notes.profile.empty()) jpeg_write_icc_profile(&jpeg, notes.profile.data(), unsigned(notes.profile.size()));
    while (jpeg.next_scanline < jpeg.image_height) {
        auto* row = const_cast<JSAMPROW>(image.at(jpeg.next_scanline, 0));
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    return true;
}

} // namespace

std::unique_ptr<PictureReader> open_jpeg(ByteView bytes, const std::string& name)
{
    return std::make_unique<JpegReader>(bytes, name);
}

std::string encode_jpeg(const Image& image, const std::string& name, const PictureNotes& notes)
{
    Errors errors;
    jpeg_compress_struct jpeg = {};
    jpeg.err = prepared(errors);
    unsigned char* bytes = nullptr;
    unsigned long size = 0;
    const bool done = write(jpeg, errors, image, notes, &bytes, &size);
    jpeg_destroy_compress(&jpeg);
    const std::unique_ptr<unsigned char, decltype(&std::free)> owner(bytes, &std::free);
    BIFRONS_CHECK(failed, done, name, ": a picture of ", image.W, "x", image.H, " cannot be encoded (",
                  errors.text.data(), ")");
    return {bytes, bytes + size};
}

} // namespace bifrons::data
