// data/extract/landmarks.cpp - the 68 points of a face.
#include "data/extract/landmarks.h"

#include "data/extract/dlib_image.h"
#include "data/warp.h"
#include "kernels/base/error.h"

#include <dlib/image_processing/shape_predictor.h>

#include <cmath>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

constexpr const char* kDebianFile = "/usr/share/dlib/shape_predictor_68_face_landmarks.dat";

/// Eyes, nose tip and corners of the mouth of the mean shape, in units of the box that the trees expect.
constexpr std::array<Point, 5> kFiveInBox = {
    {{0.309, 0.318}, {0.671, 0.314}, {0.488, 0.551}, {0.324, 0.770}, {0.676, 0.766}}};

constexpr std::int64_t kCrop = 320;             ///< px of the upright crop's side
constexpr Rect kBoxInCrop = {60, 60, 260, 260}; ///< the box in it; the jaw reaches below
constexpr int kPasses = 4;                      ///< refinements of the first estimate at most
constexpr double kSettled = 0.03;               ///< eye distances, or one pixel: a smaller step ends them
constexpr std::int64_t kFineness = 4;           ///< parts of a pixel; takes a third off the points\' jitter

std::array<Point, 5> five_of(const Landmarks& p)
{
    const auto mean = [&](std::size_t first, std::size_t last) {
        Point sum;
        for (std::size_t i = first; i <= last; ++i) sum = {sum.x + p[i].x, sum.y + p[i].y};
        const double n = double(last - first + 1);
        return Point{sum.x / n, sum.y / n};
    };
    return {mean(36, 41), mean(42, 47), p[30], p[48], p[54]};
}

double eye_distance(const std::array<Point, 5>& five)
{
    return std::hypot(five[1].x - five[0].x, five[1].y - five[0].y);
}

} // namespace

double rms_distance(const Landmarks& a, const Landmarks& b)
{
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(a[i].x - b[i].x, 2) + std::pow(a[i].y - b[i].y, 2);
    return std::sqrt(sum / double(a.size()));
}

struct LandmarkModel::Trees {
    dlib::shape_predictor predictor;
};

LandmarkModel::LandmarkModel(const fs::path& given)
{
    const fs::path file = given.empty() ? fs::path(kDebianFile) : given;
    BIFRONS_CHECK(data, fs::is_regular_file(file), file.string(),
                  ": does not exist; expected dlib's landmark model. Install it (apt install libdlib-data).");
    auto trees = std::make_unique<Trees>();
    try {
        dlib::deserialize(file.string()) >> trees->predictor;
    } catch (const std::exception&) {
        throw Error(ErrorKind::data,
                    str(file.string(), ": cannot be read as dlib's landmark model. It is truncated or "
                                       "damaged. Install it again (apt install --reinstall libdlib-data)."));
    }
    BIFRONS_CHECK(data, trees->predictor.num_parts() == 68, file.string(), ": gives ", trees->predictor.num_parts(),
                  " points; expected 68");
    trees_ = std::move(trees);
}

LandmarkModel::~LandmarkModel() = default;

Landmarks LandmarkModel::in_box(const Image& grey, const Rect& box, std::int64_t repeat) const
{
    // The trees round to whole pixels: of pixels repeated, these are fractions of ours.
    const auto n = double(repeat);
    const auto fine = [n](double x) { return std::lround((x + 0.5) * n - 0.5); };
    const auto coarse = [n](long x) { return (double(x) + 0.5) / n - 0.5; };
    const dlib::rectangle rect(fine(box.left), fine(box.top), fine(box.right) - repeat, fine(box.bottom) - repeat);
    const dlib::full_object_detection shape = trees_->predictor(to_dlib(grey, repeat), rect);
    Landmarks points;
    for (unsigned long i = 0; i < 68; ++i) points[i] = {coarse(shape.part(i).x()), coarse(shape.part(i).y())};
    return points;
}

Landmarks LandmarkModel::in_upright_crop(const Image& grey, const std::array<Point, 5>& five) const
{
    std::array<Point, 5> in_crop;
    for (std::size_t i = 0; i < 5; ++i)
        in_crop[i] = {kBoxInCrop.left + kFiveInBox[i].x * kBoxInCrop.width(),
                      kBoxInCrop.top + kFiveInBox[i].y * kBoxInCrop.height()};
    const Affine crop_from_frame = similarity(five, in_crop);
    return crop_from_frame.inverse()(in_box(warp(grey, crop_from_frame, kCrop, kCrop), kBoxInCrop, kFineness));
}

Fit LandmarkModel::find(const Image& grey, const Detection& face) const
{
    return settle(grey, face.points ? in_upright_crop(grey, *face.points) : in_box(grey, face.rect, 1));
}

Landmarks LandmarkModel::refine(const Image& grey, const Landmarks& near) const
{
    return settle(grey, near).points;
}

Fit LandmarkModel::settle(const Image& grey, const Landmarks& near) const
{
    Fit fit = {.points = near};
    bool settled = false;
    for (int pass = 0; pass < kPasses && !settled; ++pass) {
        const std::array<Point, 5> five = five_of(fit.points);
        const Landmarks next = in_upright_crop(grey, five);
        const double step = rms_distance(next, fit.points), eyes = eye_distance(five);
        settled = step <= std::max(1.0, kSettled * eyes);
        fit = {.points = next, .moved = fit.moved + step / eyes};
    }
    for (Point& p : fit.points) p = {std::round(p.x * 1000) / 1000, std::round(p.y * 1000) / 1000};
    return fit;
}

} // namespace bifrons::data
