// data/extract/centerface_detector.cpp - CenterFace, run by OpenCV's dnn.
#include "data/extract/centerface.h"
#include "data/extract/opencv_image.h"
#include "kernels/base/error.h"

#include <opencv2/dnn.hpp>
#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

constexpr double kSides[] = {480, 1280}; ///< px of the long side: of the first try and of the second
constexpr int kMultiple = 32;            ///< of which the network's sides are
constexpr int kCell = 4;                 ///< px
constexpr double kSameFace = 0.3;        ///< overlap

/// The network's picture has sides that it can halve five times, so the two scales differ a little.
cv::Size network_size(const cv::Mat& picture, double scale)
{
    const auto side = [scale](int px) { return kMultiple * std::max(1, int(std::ceil(px * scale / kMultiple))); };
    return {side(picture.cols), side(picture.rows)};
}

class CenterFaceDetector : public Detector {
  public:
    explicit CenterFaceDetector(const fs::path& model)
    {
        read_file(model); // for its messages
        bool fits = true;
        const QuietOpenCv quiet;
        try {
            network_ = cv::dnn::readNetFromONNX(model.string());
            // With it, OpenCV (4.6 to 4.10) multiplies normalisation into weights again each time the size changes.
            network_.enableFusion(false);
            const std::vector<cv::Mat> maps = run(cv::Mat::zeros(kMultiple, kMultiple, CV_8UC3));
            const std::vector<int> channels = {1, 2, 2, 10};
            for (std::size_t i = 0; i < maps.size(); ++i)
                fits = fits && maps[i].dims == 4 && maps[i].size[1] == channels[i] &&
                       maps[i].size[2] == kMultiple / kCell && maps[i].size[3] == kMultiple / kCell;
        } catch (const cv::Exception&) {
            fits = false;
        }
        BIFRONS_CHECK(data, fits, model.string(), ": cannot be used by OpenCV ", CV_VERSION, "; expected CenterFace's ",
                      centerface_file(), ". `bifrons models get centerface` fetches it.");
    }

    std::vector<Detection> detect(const Image& frame) override
    {
        const cv::Mat picture = view_of(frame);
        std::vector<double> scales;
        for (const double side : kSides)
            if (scales.empty() || scales.back() < 1)
                scales.push_back(std::min(1.0, side / double(std::max(frame.H, frame.W))));
        return first_strong(kScores.strong, scales, [&](double scale) { return detect_at(picture, scale); });
    }

  private:
    inline static const ScoreRange kScores = default_scores(DetectorKind::centerface);

    std::vector<cv::Mat> run(const cv::Mat& picture)
    {
        constexpr bool to_rgb = true;
        network_.setInput(cv::dnn::blobFromImage(picture, 1, {}, {}, to_rgb));
        std::vector<cv::Mat> maps;
        network_.forward(maps, std::vector<cv::String>{"537", "538", "539", "540"});
        return maps;
    }

    std::vector<Detection> detect_at(const cv::Mat& picture, double scale)
    {
        cv::Mat small;
        cv::resize(picture, small, network_size(picture, scale), 0, 0, cv::INTER_AREA);
        const std::vector<cv::Mat> maps = run(small);
        std::vector<Detection> found = read_centerface({.rows = maps[0].size[2],
                                                        .cols = maps[0].size[3],
                                                        .heat = maps[0].ptr<float>(),
                                                        .size = maps[1].ptr<float>(),
                                                        .offset = maps[2].ptr<float>(),
                                                        .points = maps[3].ptr<float>()},
                                                       kScores.weak);
        // From the corner to the first pixel's centre is half a pixel.
        const auto x = [&](double px) { return px * picture.cols / small.cols - 0.5; };
        const auto y = [&](double px) { return px * picture.rows / small.rows - 0.5; };
        for (Detection& face : found) {
            face.rect = {x(face.rect.left), y(face.rect.top), x(face.rect.right), y(face.rect.bottom)};
            for (Point& p : *face.points) p = {x(p.x), y(p.y)};
        }
        return found;
    }

    cv::dnn::Net network_;
};

} // namespace

std::vector<Detection> read_centerface(const CenterFaceMaps& maps, double least)
{
    const int cells = maps.rows * maps.cols;
    std::vector<Detection> all;
    for (int cell = 0; cell < cells; ++cell) {
        if (!(maps.heat[cell] >= least)) continue;
        const auto value = [&](const float* map, int channel) { return double(map[channel * cells + cell]); };
        const double height = kCell * std::exp(value(maps.size, 0)), width = kCell * std::exp(value(maps.size, 1));
        const double top = kCell * (cell / maps.cols + 0.5 + value(maps.offset, 0)) - height / 2,
                     left = kCell * (cell % maps.cols + 0.5 + value(maps.offset, 1)) - width / 2;
        Detection face = {.rect = {left, top, left + width, top + height}, .score = maps.heat[cell]};
        face.points.emplace();
        for (int i = 0; i < 5; ++i)
            (*face.points)[std::size_t(i)] = {left + width * value(maps.points, 2 * i + 1),
                                              top + height * value(maps.points, 2 * i)};
        all.push_back(face);
    }
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
    std::vector<Detection> kept;
    for (const Detection& face : all) {
        const auto same = [&](const Detection& better) { return overlap(better.rect, face.rect) >= kSameFace; };
        if (std::none_of(kept.begin(), kept.end(), same)) kept.push_back(face);
    }
    return kept;
}

const char* centerface_file()
{
    return "centerface.onnx";
}

std::unique_ptr<Detector> make_centerface_detector(const fs::path& model)
{
    return std::make_unique<CenterFaceDetector>(model);
}

} // namespace bifrons::data
