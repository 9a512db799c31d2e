// data/extract/hog_detector.cpp - dlib's frontal face detector (Dalal & Triggs 2005; King 2015, arXiv:1502.00046).
#include "data/extract/detector.h"
#include "data/extract/dlib_image.h"
#include "data/warp.h"

#include <dlib/image_processing/frontal_face_detector.h>
#include <dlib/image_transforms.h>

namespace bifrons::data {

namespace {

constexpr std::int64_t kDoubleBelow = 640; ///< px: the detector's smallest face is 80 px

/// dlib unpacks its detector from text, which takes up to a second; a copy takes none.
const dlib::frontal_face_detector& unpacked_detector()
{
    static const dlib::frontal_face_detector detector = dlib::get_frontal_face_detector();
    return detector;
}

class HogDetector : public Detector {
  public:
    std::vector<Detection> detect(const Image& frame) override
    {
        return search(frame, std::max(frame.H, frame.W) < kDoubleBelow);
    }

    std::vector<Detection> detect_near(const Image& picture) override { return search(picture, false); }

  private:
    std::vector<Detection> search(const Image& frame, bool doubled)
    {
        dlib::array2d<unsigned char> grey = to_dlib(to_grey(frame));
        if (doubled) dlib::pyramid_up(grey);
        std::vector<std::pair<double, dlib::rectangle>> found;
        detector_(grey, found, default_scores(DetectorKind::hog).weak);
        std::vector<Detection> detections;
        for (const auto& [score, box] : found) {
            const dlib::rectangle rect = doubled ? dlib::rectangle(dlib::pyramid_down<2>().rect_down(box)) : box;
            detections.push_back(
                {.rect = {double(rect.left()), double(rect.top()), double(rect.right()) + 1, double(rect.bottom()) + 1},
                 .score = score});
        }
        return detections;
    }

    dlib::frontal_face_detector detector_ = unpacked_detector();
};

} // namespace

std::unique_ptr<Detector> make_hog_detector()
{
    return std::make_unique<HogDetector>();
}

} // namespace bifrons::data
