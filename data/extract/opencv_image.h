// data/extract/opencv_image.h - a picture as OpenCV takes it, and OpenCV without its own messages.
#pragma once

#include "data/image.h"

#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>

namespace bifrons::data {

/// The picture's own memory, seen by OpenCV, which must not write to it.
inline cv::Mat view_of(const Image& image)
{
    auto* pixels = const_cast<std::uint8_t*>(image.pixels.data());
    return cv::Mat(int(image.H), int(image.W), image.C == 3 ? CV_8UC3 : CV_8UC1, pixels);
}

/// While it lives, OpenCV prints nothing of what it also throws.
class QuietOpenCv {
  public:
    QuietOpenCv() : before_(cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT)) {}
    ~QuietOpenCv() { cv::utils::logging::setLogLevel(before_); }
    QuietOpenCv(const QuietOpenCv&) = delete;
    QuietOpenCv& operator=(const QuietOpenCv&) = delete;

  private:
    cv::utils::logging::LogLevel before_;
};

} // namespace bifrons::data
