// data/extract/opencv_detectors.cpp - YuNet (Wu et al. 2023, MIR 20:656) and Haar cascades (Viola & Jones 2001) of
// OpenCV.
#include "data/extract/detector.h"
#include "data/extract/opencv_image.h"
#include "data/model_files.h"
#include "data/warp.h"
#include "kernels/base/error.h"

#include <opencv2/core/version.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>

#include <algorithm>
#include <cmath>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

constexpr double kYunetSide = 320; ///< px, of the long side in the first try
constexpr const char* kDebianCascade = "/usr/share/opencv4/haarcascades/haarcascade_frontalface_alt2.xml";

class YunetDetector : public Detector {
  public:
    explicit YunetDetector(const fs::path& model)
    {
        read_file(model); // for its messages
        const QuietOpenCv quiet;
        try {
            const cv::Size size{int(kYunetSide), int(kYunetSide)};
            detector_ = cv::FaceDetectorYN::create(model.string(), "", size, float(kScores.weak));
            cv::Mat faces;
            detector_->detect(cv::Mat::zeros(size, CV_8UC3), faces); // a file of another OpenCV's fails here
        } catch (const cv::Exception&) {
            throw Error(ErrorKind::data, str(model.string(), ": cannot be used by FaceDetectorYN of OpenCV ",
                                             CV_VERSION, "; expected ", yunet_file()));
        }
    }

    std::vector<Detection> detect(const Image& frame) override
    {
        const cv::Mat picture = view_of(frame);
        const double shrink = kYunetSide / double(std::max(frame.H, frame.W));
        const std::vector<double> scales = shrink < 1 ? std::vector{shrink, 1.0} : std::vector{1.0};
        return first_strong(kScores.strong, scales, [&](double scale) { return detect_at(picture, scale); });
    }

  private:
    inline static const ScoreRange kScores = default_scores(DetectorKind::yunet);

    std::vector<Detection> detect_at(const cv::Mat& picture, double scale)
    {
        cv::Mat small = picture, faces;
        if (scale != 1) cv::resize(picture, small, {}, scale, scale, cv::INTER_AREA);
        detector_->setInputSize(small.size());
        detector_->detect(small, faces);
        const double x = double(picture.cols) / small.cols, y = double(picture.rows) / small.rows;
        std::vector<Detection> found;
        for (int i = 0; i < faces.rows; ++i) {
            const float* f = faces.ptr<float>(i);
            Detection detection = {.rect = {x * f[0], y * f[1], x * (f[0] + f[2]), y * (f[1] + f[3])}, .score = f[14]};
            detection.points.emplace();
            for (std::size_t k = 0; k < 5; ++k) (*detection.points)[k] = {x * f[4 + 2 * k], y * f[5 + 2 * k]};
            found.push_back(detection);
        }
        return found;
    }

    cv::Ptr<cv::FaceDetectorYN> detector_;
};

class HaarDetector : public Detector {
  public:
    explicit HaarDetector(const fs::path& cascade)
    {
        read_file(cascade); // for its messages
        bool loaded = false;
        try {
            loaded = cascade_.load(cascade.string());
        } catch (const cv::Exception&) { // an empty file
        }
        BIFRONS_CHECK(data, loaded, cascade.string(), ": cannot be read by OpenCV; expected a cascade file");
    }

    std::vector<Detection> detect(const Image& frame) override
    {
        const Image grey = to_grey(frame);
        std::vector<cv::Rect> boxes;
        std::vector<int> votes;
        const int below = int(default_scores(DetectorKind::haar).weak) - 1; // what OpenCV drops reaches up to it
        cascade_.detectMultiScale(view_of(grey), boxes, votes, 1.1, below, 0, {30, 30});
        std::vector<Detection> found;
        for (std::size_t i = 0; i < boxes.size(); ++i) {
            const cv::Rect& b = boxes[i];
            found.push_back({.rect = {double(b.x), double(b.y), double(b.x + b.width), double(b.y + b.height)},
                             .score = double(votes[i])});
        }
        std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
        return found;
    }

  private:
    cv::CascadeClassifier cascade_;
};

} // namespace

const char* yunet_file()
{
    constexpr bool is_new = CV_VERSION_MAJOR > 4 || (CV_VERSION_MAJOR == 4 && CV_VERSION_MINOR >= 8);
    return is_new ? "face_detection_yunet_2023mar.onnx" : "face_detection_yunet_2022mar.onnx";
}

std::unique_ptr<Detector> make_yunet_detector(const fs::path& model)
{
    return std::make_unique<YunetDetector>(model);
}

std::unique_ptr<Detector> make_haar_detector(const fs::path& given)
{
    fs::path cascade = given;
    if (cascade.empty()) cascade = find_model_file(fs::path(kDebianCascade).filename());
    if (cascade.empty()) cascade = kDebianCascade;
    BIFRONS_CHECK(data, !given.empty() || fs::exists(cascade), cascade.string(),
                  ": does not exist; expected OpenCV's cascade. Install it (apt install opencv-data) or name one with "
                  "--detector-model.");
    return std::make_unique<HaarDetector>(cascade);
}

} // namespace bifrons::data
