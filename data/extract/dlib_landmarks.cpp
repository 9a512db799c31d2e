// data/extract/dlib_landmarks.cpp - the 68 points by dlib's regression trees.
#include "data/extract/dlib_image.h"
#include "data/extract/landmarks.h"
#include "data/warp.h"
#include "kernels/base/error.h"

#include <dlib/image_processing/shape_predictor.h>

#include <cmath>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

constexpr const char* kDebianFile = "/usr/share/dlib/shape_predictor_68_face_landmarks.dat";

constexpr std::int64_t kCrop = 320;             ///< px of the upright crop's side
constexpr Rect kBoxInCrop = {60, 60, 260, 260}; ///< the box in it; the jaw reaches below
constexpr std::int64_t kFineness = 4;           ///< parts of a pixel; takes a third off the points' jitter

class DlibLandmarks : public LandmarkModel {
  public:
    explicit DlibLandmarks(const fs::path& file)
    {
        BIFRONS_CHECK(data, fs::is_regular_file(file), file.string(),
                      ": does not exist; expected dlib's landmark model. Install it (apt install libdlib-data).");
        try {
            dlib::deserialize(file.string()) >> trees_;
        } catch (const std::exception&) {
            throw Error(ErrorKind::data,
                        str(file.string(), ": cannot be read as dlib's landmark model. It is truncated or "
                                           "damaged. Install it again (apt install --reinstall libdlib-data)."));
        }
        BIFRONS_CHECK(data, trees_.num_parts() == 68, file.string(), ": gives ", trees_.num_parts(),
                      " points; expected 68");
    }

    std::optional<double> presence(const Image&, const Landmarks&) const override { return std::nullopt; }

  private:
    Landmarks in_box(const Image& grey, const Rect& box, std::int64_t repeat) const
    {
        // The trees round to whole pixels: of pixels repeated, these are fractions of ours.
        const auto n = double(repeat);
        const auto fine = [n](double x) { return std::lround((x + 0.5) * n - 0.5); };
        const auto coarse = [n](long x) { return (double(x) + 0.5) / n - 0.5; };
        const dlib::rectangle rect(fine(box.left), fine(box.top), fine(box.right) - repeat, fine(box.bottom) - repeat);
        const dlib::full_object_detection shape = trees_(to_dlib(grey, repeat), rect);
        Landmarks points;
        for (unsigned long i = 0; i < 68; ++i) points[i] = {coarse(shape.part(i).x()), coarse(shape.part(i).y())};
        return points;
    }

    Landmarks first_estimate(const Image& grey, const Detection& face) const override
    {
        return face.points ? in_upright_crop(grey, *face.points) : in_box(grey, face.rect, 1);
    }

    Landmarks in_upright_crop(const Image& grey, const FivePoints& five) const override
    {
        const Affine crop_from_frame = similarity(five, five_in(kBoxInCrop));
        return crop_from_frame.inverse()(in_box(warp(grey, crop_from_frame, kCrop, kCrop), kBoxInCrop, kFineness));
    }

    Landmarks steadied(const Image&, const Landmarks& points) const override { return points; }

    dlib::shape_predictor trees_; // 95 MiB
};

} // namespace

std::shared_ptr<const LandmarkModel> make_dlib_landmarks(const fs::path& model)
{
    return std::make_shared<DlibLandmarks>(model.empty() ? fs::path(kDebianFile) : model);
}

} // namespace bifrons::data
