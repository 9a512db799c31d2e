// data/merge/color_cluster.cpp - the colours that most of some pixels share.
#include "data/merge/color_cluster.h"

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>

namespace bifrons::data {

namespace {

constexpr double kInside = 3, kOutside = 5; ///< deviations
constexpr double kNoise = 4.0 / 255;        ///< of a picture: skin without any variation has this much
constexpr double kOfNormal = 1.4826;        ///< a normal distribution's deviation, in median deviations
constexpr int kRounds = 3;
constexpr std::size_t kFewest = 64; ///< pixels

using Vector = Eigen::Vector3d;
using Matrix = Eigen::Matrix3d;

Vector color_at(const float* bgr)
{
    return {double(bgr[0]), double(bgr[1]), double(bgr[2])};
}

double median(std::vector<double>& values)
{
    const auto middle = values.begin() + std::ptrdiff_t(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

} // namespace

void ColorCluster::start(const std::vector<const float*>& pixels)
{
    for (std::size_t c = 0; c < 3; ++c) {
        std::vector<double> values;
        for (const float* p : pixels) values.push_back(double(p[c]));
        mean_[c] = median(values);
        for (double& v : values) v = std::abs(v - mean_[c]);
        const double deviation = kOfNormal * median(values);
        inverse_[4 * c] = 1 / (deviation * deviation + kNoise * kNoise);
    }
}

ColorCluster::ColorCluster(const ImageF& picture, const ImageF& mask)
{
    std::vector<const float*> pixels;
    for (std::size_t i = 0; i < mask.pixels.size(); ++i)
        if (mask.pixels[i] > 0.5f) pixels.push_back(&picture.pixels[3 * i]);
    if (pixels.size() < kFewest) return;
    start(pixels);
    for (int round = 0; round < kRounds; ++round) {
        std::vector<const float*> skin;
        for (const float* p : pixels)
            if (squared_distance(p) <= kInside * kInside) skin.push_back(p);
        if (skin.size() < kFewest) return;
        Vector sum = Vector::Zero();
        for (const float* p : skin) sum += color_at(p);
        const Vector mean = sum / double(skin.size());
        Matrix products = Matrix::Zero();
        for (const float* p : skin) products += (color_at(p) - mean) * (color_at(p) - mean).transpose();
        Eigen::Map<Vector>(mean_.data()) = mean;
        Eigen::Map<Matrix>(inverse_.data()) =
            (products / double(skin.size()) + kNoise * kNoise * Matrix::Identity()).inverse();
    }
}

double ColorCluster::squared_distance(const float* bgr) const
{
    const Vector from_mean = color_at(bgr) - Eigen::Map<const Vector>(mean_.data());
    return from_mean.dot(Eigen::Map<const Matrix>(inverse_.data()) * from_mean);
}

float ColorCluster::weight(const float* bgr) const
{
    return float(std::clamp((kOutside - std::sqrt(squared_distance(bgr))) / (kOutside - kInside), 0.0, 1.0));
}

} // namespace bifrons::data
