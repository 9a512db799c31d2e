// data/picture/png.cpp - PNG through libpng.
//
// libpng leaves by longjmp, so functions that call it hold nothing that has a destructor.
#include "data/picture/tiff_tags.h"
#include "kernels/base/error.h"

#include <png.h>

#include <array>
#include <csetjmp>
#include <cstring>

namespace bifrons::data {

namespace {

/// The library's first complaint.
struct Complaint {
    std::array<char, 128> text = {};
};

[[noreturn]] void fail(png_structp png, png_const_charp text)
{
    auto* complaint = static_cast<Complaint*>(png_get_error_ptr(png));
    std::strncpy(complaint->text.data(), text, complaint->text.size() - 1);
    png_longjmp(png, 1);
}

void ignore(png_structp, png_const_charp) {}

class PngReader : public PictureReader {
  public:
    PngReader(ByteView bytes, const std::string& name)
        : bytes_(bytes), name_(name), png_(png_create_read_struct(PNG_LIBPNG_VER_STRING, &complaint_, fail, ignore)),
          info_(png_create_info_struct(png_))
    {
        if (read_header()) return;
        png_destroy_read_struct(&png_, &info_, nullptr);
        refuse();
    }
    ~PngReader() override { png_destroy_read_struct(&png_, &info_, nullptr); }
    PngReader(const PngReader&) = delete;
    PngReader& operator=(const PngReader&) = delete;

    Image read() override
    {
        Image image(H, W, png_get_channels(png_, info_));
        if (!read_rows(image)) refuse();
        take_notes();
        return image;
    }

  private:
    [[noreturn]] void refuse() const
    {
        throw Error(ErrorKind::data, str(name_, ": cannot be decoded (", complaint_.text.data(),
                                         "); the picture is damaged or truncated"));
    }

    bool read_header()
    {
        if (setjmp(png_jmpbuf(png_))) return false;
        png_set_read_fn(png_, this, give);
        // Text may be compressed a thousandfold, and is not needed.
        static const std::array<png_byte, 25> kIgnored = {"tEXt\0zTXt\0iTXt\0sPLT\0hIST"};
        png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, kIgnored.data(), 5);
        static const std::array<png_byte, 5> kAnimation = {"acTL"};
        png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_ALWAYS, kAnimation.data(), 1);
        png_read_info(png_, info_);
        H = png_get_image_height(png_, info_);
        W = png_get_image_width(png_, info_);
        is_grey = !(png_get_color_type(png_, info_) & PNG_COLOR_MASK_COLOR);
        png_unknown_chunkp unknown = nullptr;
        is_animated = png_get_unknown_chunks(png_, info_, &unknown) > 0;
        png_set_expand(png_);
        png_set_scale_16(png_);
        png_set_gray_to_rgb(png_);
        png_set_bgr(png_);
        passes_ = png_set_interlace_handling(png_);
        png_read_update_info(png_, info_);
        take_notes();
        return true;
    }

    bool read_rows(Image& image)
    {
        if (setjmp(png_jmpbuf(png_))) return false;
        for (int pass = 0; pass < passes_; ++pass)
            for (std::int64_t y = 0; y < H; ++y) {
                if (pass == passes_ - 1 && y == H - 1) left_ = kMostBehind + 2 * std::size_t(image.C * W);
                png_read_row(png_, image.at(y, 0), nullptr);
            }
        left_ = bytes_.size();
        png_read_end(png_, info_);
        return true;
    }

    /// Orientation and profile; Exif may stand behind the pixels.
    void take_notes()
    {
        png_uint_32 size = 0;
        png_bytep exif = nullptr, profile_bytes = nullptr;
        png_charp profile_name = nullptr;
        int compression = 0;
        if (png_get_eXIf_1(png_, info_, &size, &exif)) orientation = orientation_in({exif, size});
        if (png_get_iCCP(png_, info_, &profile_name, &compression, &profile_bytes, &size))
            profile.assign(profile_bytes, profile_bytes + size);
    }

    static void give(png_structp png, png_bytep to, std::size_t n)
    {
        auto* self = static_cast<PngReader*>(png_get_io_ptr(png));
        if (n > self->bytes_.size() - self->at_) png_error(png, "it ends early");
        if (n > self->left_) png_error(png, "its data go on after the last row");
        std::memcpy(to, self->bytes_.data() + self->at_, n);
        self->at_ += n;
        self->left_ -= n;
    }

    /// Bytes that may be read for the last row. libpng decompresses what follows it to the end: a few megabytes can
    /// hide gigabytes.
    static constexpr std::size_t kMostBehind = 1 << 16;

    ByteView bytes_;
    std::string name_;
    Complaint complaint_;
    png_structp png_;
    png_infop info_;
    std::size_t at_ = 0, left_ = bytes_.size();
    int passes_ = 1;
};

void append(png_structp png, png_bytep bytes, std::size_t n)
{
    static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<const char*>(bytes), n);
}

void flush(png_structp) {}

bool write(png_structp png, png_infop info, const Image& image, const PictureNotes& notes, std::string& file)
{
    if (setjmp(png_jmpbuf(png))) return false;
    png_set_write_fn(png, &file, append, flush);
    png_set_compression_level(png, 3); // twice as fast as the default, and a few per cent larger
    const int type = image.C == 1 ? PNG_COLOR_TYPE_GRAY : image.C == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_RGB_ALPHA;
    png_set_IHDR(png, info, png_uint_32(image.W), png_uint_32(image.H), 8, type, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_benign_errors(png, 1); // a profile that libpng thinks odd
    if (!notes.profile.empty())
        png_set_iCCP(png, info, "ICC profile", PNG_COMPRESSION_TYPE_DEFAULT, notes.profile.data(),
                     png_uint_32(notes.profile.size()));
    const auto set_text = [&](int compression, const char* key, const std::string& words) {
        png_text text = {};
        text.compression = compression;
        text.key = const_cast<char*>(key);
        text.text = const_cast<char*>(words.c_str());
        if (!words.empty()) png_set_text(png, info, &text, 1);
    };
    set_text(PNG_TEXT_COMPRESSION_NONE, "Comment", notes.comment);
    set_text(PNG_ITXT_COMPRESSION_NONE, "XML:com.adobe.xmp", notes.xmp);
    png_write_info(png, info);
    png_set_bgr(png);
    for (std::int64_t y = 0; y < image.H; ++y) png_write_row(png, image.at(y, 0));
    png_write_end(png, nullptr);
    return true;
}

} // namespace

std::unique_ptr<PictureReader> open_png(ByteView bytes, const std::string& name)
{
    return std::make_unique<PngReader>(bytes, name);
}

std::string encode_png(const Image& image, const std::string& name, const PictureNotes& notes)
{
    Complaint complaint;
    std::string file;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &complaint, fail, ignore);
    png_infop info = png_create_info_struct(png);
    const bool done = write(png, info, image, notes, file);
    png_destroy_write_struct(&png, &info);
    BIFRONS_CHECK(failed, done, name, ": a picture of ", image.W, "x", image.H, " cannot be encoded (",
                  complaint.text.data(), ")");
    return file;
}

} // namespace bifrons::data
