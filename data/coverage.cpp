// data/coverage.cpp - what the faces of a faceset show.
#include "data/coverage.h"

#include "data/hull.h"
#include "data/threads.h"
#include "data/warp.h"
#include "kernels/base/error.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace bifrons::data {

const std::array<Trait, 7> kTraits = {{{"yaw (+ right), degrees", -90, 10, 18},
                                       {"pitch (+ up), degrees", -90, 10, 18},
                                       {"mouth open, %", 0, 10, 10},
                                       {"eyes open, %", 0, 5, 10},
                                       {"light, %", 0, 10, 10},
                                       {"light from the right, %", -50, 10, 10},
                                       {"light from above, %", -50, 10, 10}}};

namespace {

constexpr std::size_t kPictures = 200; ///< looked at for their light

double degrees(double radians)
{
    return radians * 180 / 3.14159265358979323846;
}

double distance(Point a, Point b)
{
    return std::hypot(a.x - b.x, a.y - b.y);
}

/// Share of the whole, in %; 0 of nothing.
double percent(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

double mouth_opening(const Landmarks& p)
{
    const double gaps = distance(p[61], p[67]) + distance(p[62], p[66]) + distance(p[63], p[65]);
    return percent(gaps, 3 * distance(p[60], p[64]));
}

/// Of the eye whose landmarks begin at `first`.
double eye_opening(const Landmarks& p, std::size_t first)
{
    const double gaps = distance(p[first + 1], p[first + 5]) + distance(p[first + 2], p[first + 4]);
    return percent(gaps, 2 * distance(p[first], p[first + 3]));
}

struct Light {
    double mean = 0, from_right = 0, from_above = 0;
};

/// Luma of some pixels.
struct Part {
    double sum = 0, pixels = 0;
    void add(double luma) { sum += luma, pixels += 1; }
    double mean() const { return pixels > 0 ? sum / pixels : 0; }
};

/// Empty where the hull lies outside the picture.
std::optional<Light> light_of(const Image& picture, const Landmarks& points)
{
    const Image grey = to_grey(picture), mask = hull_mask(points, picture.H, picture.W);
    const Point middle = points[29];
    Part all, right, left, above, below;
    for (std::int64_t y = 0; y < grey.H; ++y)
        for (std::int64_t x = 0; x < grey.W; ++x) {
            if (*mask.at(y, x) < 128) continue;
            const double luma = *grey.at(y, x);
            all.add(luma);
            (double(x) > middle.x ? right : left).add(luma);
            (double(y) < middle.y ? above : below).add(luma);
        }
    if (all.pixels == 0) return {};
    const auto more = [](const Part& a, const Part& b) { return percent(a.mean() - b.mean(), a.mean() + b.mean()); };
    return Light{percent(all.mean(), 255), more(right, left), more(above, below)};
}

void add_light(const Faceset& set, Coverage& coverage)
{
    const std::size_t count = std::min(kPictures, set.faces.size());
    std::vector<std::optional<Light>> lights(count);
    std::vector<std::string> failures(count);
    for_each_on_threads(std::int64_t(count), machine_threads(), [&](std::int64_t i, int) {
        const auto n = std::size_t(i);
        const std::size_t index = n * set.faces.size() / count;
        try {
            lights[n] = light_of(load_face(set, index), set.faces[index].in_face);
        } catch (const Error& error) {
            failures[n] = error.what();
        }
    });
    for (const std::optional<Light>& light : lights) {
        if (!light) continue;
        coverage.values[kLight].push_back(light->mean);
        coverage.values[kLightFromRight].push_back(light->from_right);
        coverage.values[kLightFromAbove].push_back(light->from_above);
    }
    for (const std::string& failure : failures)
        if (!failure.empty()) coverage.unreadable.push_back(failure);
}

} // namespace

Coverage coverage_of(const Faceset& set)
{
    Coverage coverage;
    for (const FaceRecord& face : set.faces) {
        coverage.values[kYaw].push_back(degrees(face.pose.yaw));
        coverage.values[kPitch].push_back(degrees(face.pose.pitch));
        coverage.values[kMouth].push_back(mouth_opening(face.in_face));
        coverage.values[kEyes].push_back((eye_opening(face.in_face, 36) + eye_opening(face.in_face, 42)) / 2);
    }
    add_light(set, coverage);
    return coverage;
}

Coverage with_mirrored(Coverage coverage)
{
    for (std::size_t trait = 0; trait < kTraits.size(); ++trait) {
        std::vector<double>& values = coverage.values[trait];
        const bool changes_sign = trait == kYaw || trait == kLightFromRight;
        const std::size_t count = values.size();
        for (std::size_t i = 0; i < count; ++i) values.push_back(changes_sign ? -values[i] : values[i]);
    }
    return coverage;
}

std::vector<std::int64_t> histogram(const Trait& trait, const std::vector<double>& values)
{
    std::vector<std::int64_t> counts(trait.bins);
    for (const double value : values) {
        const double place = std::floor((value - trait.low) / trait.bin);
        ++counts[std::size_t(std::clamp(place, 0.0, double(trait.bins - 1)))];
    }
    return counts;
}

Uncovered uncovered(std::vector<double> src, const std::vector<double>& dst, double reach)
{
    std::sort(src.begin(), src.end());
    std::vector<double> outside;
    for (const double value : dst) {
        const auto above = std::lower_bound(src.begin(), src.end(), value);
        const bool near_above = above != src.end() && *above - value <= reach;
        const bool near_below = above != src.begin() && value - *(above - 1) <= reach;
        if (!near_above && !near_below) outside.push_back(value);
    }
    if (outside.empty()) return {};
    const auto [low, high] = std::minmax_element(outside.begin(), outside.end());
    return {double(outside.size()) / double(dst.size()), *low, *high};
}

double side_in_footage(const Faceset& set, FaceType type)
{
    std::vector<double> sides;
    for (const FaceRecord& face : set.faces) sides.push_back(1 / face_from_frame(face.in_frame, type, 1).scale());
    const auto middle = sides.begin() + std::ptrdiff_t(sides.size() / 2);
    std::nth_element(sides.begin(), middle, sides.end());
    return *middle;
}

std::int64_t fitting_resolution(double side_px)
{
    return 32 * std::int64_t(std::clamp(std::round(0.6 * side_px / 32), 2.0, 20.0));
}

} // namespace bifrons::data
