// data/extract/plausible.cpp - whether 68 points are those of a face.
#include "data/extract/plausible.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace bifrons::data {

namespace {

constexpr double kContrast = 2, kOverlap = 0.4, kStrays = 0.05;
constexpr double kPresent = 25, kAbsent = 0; ///< logits: most upright faces have 40 to 55, other things up to 20

Rect box_of(const Landmarks& points)
{
    const auto [left, right] =
        std::minmax_element(points.begin(), points.end(), [](Point a, Point b) { return a.x < b.x; });
    const auto [top, bottom] =
        std::minmax_element(points.begin(), points.end(), [](Point a, Point b) { return a.y < b.y; });
    return {left->x, top->y, right->x, bottom->y};
}

double eye_distance(const Landmarks& p)
{
    return std::hypot(p[42].x + p[45].x - p[36].x - p[39].x, p[42].y + p[45].y - p[36].y - p[39].y) / 2;
}

/// Turned about their middle.
Landmarks turned(const Landmarks& points, double degrees, double scale)
{
    Point middle;
    for (const Point& p : points) middle = {middle.x + p.x / 68, middle.y + p.y / 68};
    const double angle = degrees * std::numbers::pi / 180, c = scale * std::cos(angle), s = scale * std::sin(angle);
    return Affine{{c, -s, middle.x - c * middle.x + s * middle.y, s, c, middle.y - s * middle.x - c * middle.y}}(
        points);
}

bool is_found_again(const Landmarks& points, const Image& grey, const LandmarkModel& model)
{
    const double near = std::max(1.0, kStrays * eye_distance(points));
    for (const auto& [degrees, scale] : {std::pair{20.0, 1.1}, {-20.0, 0.9}})
        if (rms_distance(model.refine(grey, turned(points, degrees, scale)), points) <= near) return true;
    return false;
}

} // namespace

bool is_flat(const Image& grey, const Rect& box)
{
    const auto left = std::max<std::int64_t>(0, std::int64_t(box.left)),
               right = std::min(grey.W, std::int64_t(box.right) + 1),
               top = std::max<std::int64_t>(0, std::int64_t(box.top)),
               bottom = std::min(grey.H, std::int64_t(box.bottom) + 1);
    double sum = 0, squares = 0, n = 0;
    for (std::int64_t y = top; y < bottom; ++y)
        for (std::int64_t x = left; x < right; ++x) {
            const double v = *grey.at(y, x);
            sum += v;
            squares += v * v;
            n += 1;
        }
    return n == 0 || squares / n - (sum / n) * (sum / n) < kContrast * kContrast;
}

std::string implausibility(const Landmarks& points, const Detection& detection, const Image& grey,
                           const LandmarkModel& model)
{
    const Rect box = box_of(points);
    if (!(overlap(box, detection.rect) >= kOverlap)) return "landmarks beside the detection";
    const std::optional<double> presence = model.presence(grey, points);
    if (presence && *presence >= kPresent) return "";
    if (presence && *presence < kAbsent) return "landmarks where their network sees no face";
    if (!is_found_again(points, grey, model)) return "landmarks that are not found again";
    return "";
}

} // namespace bifrons::data
