// data/extract/landmarks.cpp - the 68 points of a face: what both models share.
#include "data/extract/landmarks.h"

#include "data/extract/face_mesh.h"
#include "data/extract/opencv_image.h"
#include "data/model_files.h"
#include "kernels/base/error.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

/// Of the mean shape, in units of the box that dlib's trees expect.
constexpr FivePoints kFiveInBox = {{{0.309, 0.318}, {0.671, 0.314}, {0.488, 0.551}, {0.324, 0.770}, {0.676, 0.766}}};

constexpr int kPasses = 4;         ///< refinements of the first estimate at most
constexpr double kSettled = 0.03;  ///< eye distances, or one pixel: a smaller step ends them
constexpr double kEyesInCrop = 72; ///< px: about their distance in a model's crop

/// A picture made smaller by a whole number, each pixel the mean of a block, and the way back from it.
struct Reduced {
    Image grey;
    Affine grey_from_it;
};

Reduced reduced(const Image& grey, std::int64_t by)
{
    const std::int64_t H = std::max<std::int64_t>(1, grey.H / by), W = std::max<std::int64_t>(1, grey.W / by);
    Reduced small = {Image(H, W, 1), {{double(by), 0, double(by - 1) / 2, 0, double(by), double(by - 1) / 2}}};
    cv::Mat to = view_of(small.grey);
    const cv::Rect blocks(0, 0, int(std::min(grey.W, W * by)), int(std::min(grey.H, H * by)));
    cv::resize(view_of(grey)(blocks), to, to.size(), 0, 0, cv::INTER_AREA);
    return small;
}

double eye_distance(const FivePoints& five)
{
    return std::hypot(five[1].x - five[0].x, five[1].y - five[0].y);
}

} // namespace

const char* name_of(LandmarkKind kind)
{
    return kind == LandmarkKind::dlib ? "dlib" : "facemesh";
}

LandmarkKind landmark_kind_of(const std::string& name)
{
    for (const LandmarkKind kind : {LandmarkKind::dlib, LandmarkKind::facemesh})
        if (name == name_of(kind)) return kind;
    throw Error(ErrorKind::usage, str("landmarks \"", name, "\" are unknown; expected dlib or facemesh"));
}

LandmarkKind default_landmarks()
{
    return find_model_file(face_mesh_file()).empty() ? LandmarkKind::dlib : LandmarkKind::facemesh;
}

double rms_distance(const Landmarks& a, const Landmarks& b)
{
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(a[i].x - b[i].x, 2) + std::pow(a[i].y - b[i].y, 2);
    return std::sqrt(sum / double(a.size()));
}

FivePoints LandmarkModel::five_in(const Rect& box)
{
    FivePoints five;
    for (std::size_t i = 0; i < five.size(); ++i)
        five[i] = {box.left + kFiveInBox[i].x * box.width(), box.top + kFiveInBox[i].y * box.height()};
    return five;
}

FivePoints LandmarkModel::five_of(const Landmarks& p)
{
    const auto mean = [&](std::size_t first, std::size_t last) {
        Point sum;
        for (std::size_t i = first; i <= last; ++i) sum = {sum.x + p[i].x, sum.y + p[i].y};
        const double n = double(last - first + 1);
        return Point{sum.x / n, sum.y / n};
    };
    return {mean(36, 41), mean(42, 47), p[30], p[48], p[54]};
}

Fit LandmarkModel::find(const Image& grey, const Detection& face) const
{
    return settle(grey, first_estimate(grey, face));
}

Landmarks LandmarkModel::refine(const Image& grey, const Landmarks& near) const
{
    return settle(grey, near).points;
}

Fit LandmarkModel::settle(const Image& grey, const Landmarks& near) const
{
    const std::int64_t by = std::llround(std::min(eye_distance(five_of(near)), double(grey.W)) / kEyesInCrop);
    Fit fit;
    if (by < 2) {
        fit = settle_in(grey, near);
    } else { // every pass would shrink the same pixels
        const Reduced small = reduced(grey, by);
        fit = settle_in(small.grey, small.grey_from_it.inverse()(near));
        fit.points = small.grey_from_it(fit.points);
    }
    for (Point& p : fit.points) p = {std::round(p.x * 1000) / 1000, std::round(p.y * 1000) / 1000};
    return fit;
}

Fit LandmarkModel::settle_in(const Image& grey, const Landmarks& near) const
{
    Fit fit = {.points = near};
    bool settled = false;
    for (int pass = 0; pass < kPasses && !settled; ++pass) {
        const FivePoints five = five_of(fit.points);
        const Landmarks next = in_upright_crop(grey, five);
        const double step = rms_distance(next, fit.points), eyes = eye_distance(five);
        settled = step <= std::max(1.0, kSettled * eyes);
        fit = {.points = next, .moved = fit.moved + step / eyes};
    }
    fit.points = steadied(grey, fit.points);
    return fit;
}

std::shared_ptr<const LandmarkModel> make_landmark_model(const LandmarkOptions& options)
{
    if (options.kind == LandmarkKind::dlib) return make_dlib_landmarks(options.model);
    const fs::path file = options.model.empty() ? find_model_file(face_mesh_file()) : options.model;
    BIFRONS_CHECK(usage, !file.empty(), "landmarks facemesh: the file ", face_mesh_file(), " is not in ",
                  model_folders().front().string(),
                  "; `bifrons models get facemesh` fetches it. Or name it with --landmark-model.");
    return make_mesh_landmarks(file);
}

} // namespace bifrons::data
