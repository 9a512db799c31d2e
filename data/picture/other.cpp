// data/picture/other.cpp - BMP, WebP and TIFF through OpenCV, which tells nothing but pixels: sizes, Exif and ICC are
// taken from the file. Of an animated WebP it reads nothing.
#include "data/picture/bytes.h"
#include "data/picture/tiff_tags.h"
#include "data/picture/webp.h"
#include "kernels/base/error.h"

#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>

#include <algorithm>
#include <cstdlib>

namespace bifrons::data {

namespace {

/// BGR or BGRA of 8 bits.
Image image_of(const cv::Mat& decoded)
{
    cv::Mat bytes = decoded;
    if (decoded.depth() == CV_16U) decoded.convertTo(bytes, CV_8U, 1.0 / 257);
    BIFRONS_CHECK(data, bytes.depth() == CV_8U, "its numbers are neither of 8 nor of 16 bits");
    const int channels = bytes.channels();
    Image image(bytes.rows, bytes.cols, channels == 4 ? 4 : 3);
    for (int y = 0; y < bytes.rows; ++y)
        for (int x = 0; x < bytes.cols; ++x) {
            const std::uint8_t* from = bytes.ptr(y, x);
            for (int c = 0; c < image.C; ++c) image.at(y, x)[c] = from[channels < 3 ? 0 : c];
        }
    return image;
}

class OtherReader : public PictureReader {
  public:
    OtherReader(ByteView bytes, const std::string& name) : bytes_(bytes), name_(name) {}

    Image read() override
    {
        try {
            cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT); // what it says, it also throws
            const cv::Mat file(1, int(bytes_.size()), CV_8U, const_cast<std::uint8_t*>(bytes_.data()));
            const cv::Mat decoded = cv::imdecode(file, flags_);
            BIFRONS_CHECK(data, !decoded.empty(), "OpenCV cannot read it");
            is_grey = decoded.channels() < 3;
            return image_of(decoded);
        } catch (const std::exception& error) {
            throw Error(ErrorKind::data, str(name_, ": cannot be decoded (", error.what(),
                                             "); the picture is damaged, truncated or of a rare form"));
        }
    }

  protected:
    ByteView bytes_;
    std::string name_;
    int flags_ = cv::IMREAD_UNCHANGED; ///< with alpha and 16 bits
};

/// With the header of Windows, or the shorter one of OS/2.
class BmpReader : public OtherReader {
  public:
    BmpReader(ByteView bytes, const std::string& name) : OtherReader(bytes, name)
    {
        const bool is_os2 = number(bytes, 14, 4) == 12;
        W = is_os2 ? number(bytes, 18, 2) : std::int32_t(number(bytes, 18, 4));
        H = is_os2 ? number(bytes, 20, 2) : std::abs(std::int64_t(std::int32_t(number(bytes, 22, 4))));
        bits_ = number(bytes, is_os2 ? 24 : 28, 2);
        is_packed_ = !is_os2 && (number(bytes, 30, 4) == 1 || number(bytes, 30, 4) == 2);
        flags_ = cv::IMREAD_COLOR; // else OpenCV makes OS/2's grey
    }

    Image read() override
    {
        // OpenCV would say so on the error output.
        const std::int64_t end = number(bytes_, 10, 4) + (W * bits_ + 31) / 32 * 4 * H;
        BIFRONS_CHECK(data, is_packed_ || end <= std::int64_t(bytes_.size()), name_,
                      ": ends early; the picture is truncated");
        return OtherReader::read();
    }

  private:
    std::int64_t bits_ = 0;
    bool is_packed_ = false;
};

class WebpReader : public OtherReader {
  public:
    WebpReader(ByteView bytes, const std::string& name) : OtherReader(bytes, name), file_(read_webp(bytes))
    {
        H = file_.H;
        W = file_.W;
        orientation = file_.orientation;
        profile.assign(file_.profile.begin(), file_.profile.end());
        is_animated = file_.is_animated;
    }

    Image read() override
    {
        if (!is_animated) return OtherReader::read();
        BIFRONS_CHECK(data, WebpAnimation::is_possible(), name_,
                      ": is an animated WebP, and this program was built without libwebp, which reads it");
        WebpAnimation animation(file_);
        BIFRONS_CHECK(data, !file_.frames.empty() && animation.draw_next(), name_,
                      ": its first frame cannot be decoded; the picture is damaged or truncated");
        return animation.picture();
    }

  private:
    WebpFile file_;
};

class TiffReader : public OtherReader {
  public:
    TiffReader(ByteView bytes, const std::string& name) : OtherReader(bytes, name)
    {
        const TiffTags tags(bytes);
        W = tags.value(TiffTags::width).value_or(0);
        H = tags.value(TiffTags::height).value_or(0);
        if (tags.value(TiffTags::orientation).value_or(1) > 4) std::swap(H, W); // OpenCV turns it
        const ByteView icc = tags.bytes(TiffTags::profile);
        profile.assign(icc.begin(), icc.end());
    }
};

} // namespace

std::unique_ptr<PictureReader> open_other_picture(ByteView bytes, const std::string& name)
{
    if (has_at(bytes, 0, "BM")) return std::make_unique<BmpReader>(bytes, name);
    if (is_webp(bytes)) return std::make_unique<WebpReader>(bytes, name);
    if (TiffTags::starts(bytes)) return std::make_unique<TiffReader>(bytes, name);
    return nullptr;
}

} // namespace bifrons::data
