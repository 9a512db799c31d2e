// data/oddness.cpp - faces unlike the others of their faceset.
#include "data/oddness.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace bifrons::data {

namespace {

struct Measure {
    const char* reason;
    double (*of)(const FaceRecord& face);
    bool either_way;    ///< odd below the median, too
    double least;       ///< deviation that counts as one
    double least_share; ///< the same, in shares of the median
};

/// How far the landmarks lie from the mean face they are aligned to: rms, template units.
double shape_of(const FaceRecord& face)
{
    const Landmarks t = face_from_frame(face.in_frame, FaceType::half, 1)(face.in_frame); // the template less 1/2
    double sum = 0;
    for (std::size_t i = 0; i < kMeanFace.size(); ++i) {
        const Point& p = t[i + 1 == kMeanFace.size() ? 54 : 17 + i];
        sum += std::pow(p.x + 0.5 - kMeanFace[i].x, 2) + std::pow(p.y + 0.5 - kMeanFace[i].y, 2);
    }
    return std::sqrt(sum / double(kMeanFace.size()));
}

constexpr Measure kMeasures[] = {
    {"low score", [](const FaceRecord& f) { return -f.score; }, false, 1e-9, 0.1},
    {"blurred", [](const FaceRecord& f) { return -std::log(std::max(f.sharpness, 1e-9)); }, false, 0.2, 0},
    {"small or large", [](const FaceRecord& f) { return std::log(std::max(f.size, 1e-9)); }, true, 0.2, 0},
    {"turned aside", [](const FaceRecord& f) { return f.pose.yaw; }, true, 0.17, 0},
    {"looks up or down", [](const FaceRecord& f) { return f.pose.pitch; }, true, 0.17, 0},
    {"unlike a face", shape_of, false, 0.02, 0}};

double median(std::vector<double> values)
{
    const auto middle = values.begin() + std::ptrdiff_t(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

/// Of each face by one measure.
std::vector<double> deviations(const Faceset& set, const Measure& measure)
{
    std::vector<double> values, distances;
    for (const FaceRecord& face : set.faces) values.push_back(measure.of(face));
    const double usual = median(values);
    for (const double v : values) distances.push_back(std::abs(v - usual));
    const double unit = std::max({1.4826 * median(distances), measure.least, measure.least_share * std::abs(usual)});
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = (measure.either_way ? distances[i] : values[i] - usual) / unit;
    return values;
}

} // namespace

std::vector<Oddness> by_oddness(const Faceset& set)
{
    std::vector<Oddness> all(set.faces.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i].face = i;
    if (all.empty()) return all;
    constexpr double kRounding = 1e-9;
    for (const Measure& measure : kMeasures) {
        const std::vector<double> values = deviations(set, measure);
        for (std::size_t i = 0; i < all.size(); ++i)
            if (values[i] > all[i].value + kRounding) all[i] = {i, values[i], measure.reason};
    }
    std::stable_sort(all.begin(), all.end(), [](const Oddness& a, const Oddness& b) { return a.value > b.value; });
    return all;
}

} // namespace bifrons::data
