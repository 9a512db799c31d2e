// data/hull.cpp - regions of a face, from its landmarks.
#include "data/hull.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace bifrons::data {

namespace {

double cross(Point o, Point a, Point b)
{
    return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
}

/// Monotone chain (Andrew 1979). Positive turns only.
std::vector<Point> convex_hull(std::vector<Point> points)
{
    std::sort(points.begin(), points.end(), [](Point a, Point b) { return std::pair(a.x, a.y) < std::pair(b.x, b.y); });
    std::vector<Point> hull;
    for (int side = 0; side < 2; ++side) {
        const std::size_t start = hull.size();
        for (const Point& p : points) {
            while (hull.size() >= start + 2 && cross(hull[hull.size() - 2], hull.back(), p) <= 0) hull.pop_back();
            hull.push_back(p);
        }
        hull.pop_back();
        std::reverse(points.begin(), points.end());
    }
    return hull;
}

/// How far p lies from the region of these corners; 0 inside.
double distance_to(const std::vector<Point>& hull, Point p)
{
    double nearest = std::numeric_limits<double>::infinity();
    bool inside = hull.size() > 2;
    for (std::size_t i = 0; i < hull.size(); ++i) {
        const Point &a = hull[i], &b = hull[(i + 1) % hull.size()];
        const double length2 = (b.x - a.x) * (b.x - a.x) + (b.y - a.y) * (b.y - a.y);
        const double along = (p.x - a.x) * (b.x - a.x) + (p.y - a.y) * (b.y - a.y);
        const double t = length2 > 0 ? std::clamp(along / length2, 0.0, 1.0) : 0;
        nearest = std::min(nearest, std::hypot(p.x - a.x - t * (b.x - a.x), p.y - a.y - t * (b.y - a.y)));
        inside = inside && cross(a, b, p) >= 0;
    }
    return inside ? 0 : nearest;
}

/// mask = 1 where the region of these points, grown by `radius`, is; its edge anti-aliased over one pixel.
void draw_grown(const std::vector<Point>& points, double radius, ImageF& mask)
{
    const std::vector<Point> hull = convex_hull(points);
    const auto [left, right] =
        std::minmax_element(points.begin(), points.end(), [](Point a, Point b) { return a.x < b.x; });
    const auto [top, bottom] =
        std::minmax_element(points.begin(), points.end(), [](Point a, Point b) { return a.y < b.y; });
    const auto first = [&](double v) { return std::max<std::int64_t>(0, std::int64_t(std::floor(v - radius - 1))); };
    const auto last = [&](double v, std::int64_t n) {
        return std::min(n - 1, std::int64_t(std::ceil(v + radius + 1)));
    };
    for (std::int64_t y = first(top->y); y <= last(bottom->y, mask.H); ++y)
        for (std::int64_t x = first(left->x); x <= last(right->x, mask.W); ++x) {
            const double depth = radius - distance_to(hull, {double(x), double(y)});
            *mask.at(y, x) = std::max(*mask.at(y, x), float(std::clamp(depth + 0.5, 0.0, 1.0)));
        }
}

/// Along both axes, zero outside the picture.
ImageF blurred(const ImageF& x, double sigma, int radius)
{
    std::vector<double> taps;
    for (int d = -radius; d <= radius; ++d) taps.push_back(std::exp(-d * d / (2 * sigma * sigma)));
    const double sum = std::accumulate(taps.begin(), taps.end(), 0.0);
    const auto pass = [&](const ImageF& from, std::int64_t right, std::int64_t down) {
        ImageF to(from.H, from.W, 1);
        for (std::int64_t h = 0; h < from.H; ++h)
            for (std::int64_t w = 0; w < from.W; ++w) {
                double value = 0;
                for (std::int64_t d = -radius; d <= radius; ++d) {
                    const std::int64_t r = h + d * down, c = w + d * right;
                    if (r >= 0 && r < from.H && c >= 0 && c < from.W)
                        value += taps[std::size_t(d + radius)] * double(*from.at(r, c));
                }
                *to.at(h, w) = float(value / sum);
            }
        return to;
    };
    return pass(pass(x, 1, 0), 0, 1);
}

} // namespace

std::vector<Point> face_hull(const Landmarks& p)
{
    std::vector<Point> points(p.begin(), p.end());
    // Under each brow point: what of the eye (or between temple and eye) lies below it.
    const auto middle = [](Point a, Point b) { return Point{(a.x + b.x) / 2, (a.y + b.y) / 2}; };
    const Point left = middle(p[36], middle(p[36], p[0])), right = middle(p[45], middle(p[45], p[16]));
    const Point below[10] = {left, p[36], p[37], p[38], p[39], p[42], p[43], p[44], p[45], right};
    for (std::size_t i = 0; i < 10; ++i) {
        const Point& brow = p[17 + i];
        points.push_back({brow.x + (brow.x - below[i].x) / 2, brow.y + (brow.y - below[i].y) / 2});
    }
    return convex_hull(std::move(points));
}

Image hull_mask(const Landmarks& points, std::int64_t H, std::int64_t W)
{
    // Inside a convex region every edge's signed distance is positive; the least one is the distance to the border.
    struct Edge {
        double a, b, c;
    };
    const std::vector<Point> hull = face_hull(points);
    std::vector<Edge> edges;
    for (std::size_t i = 0; i < hull.size(); ++i) {
        const Point &p = hull[i], &q = hull[(i + 1) % hull.size()];
        const double length = std::hypot(q.x - p.x, q.y - p.y);
        const double a = -(q.y - p.y) / length, b = (q.x - p.x) / length;
        edges.push_back({a, b, -(a * p.x + b * p.y)});
    }
    Image mask(H, W, 1);
    for (std::int64_t y = 0; y < H; ++y)
        for (std::int64_t x = 0; x < W; ++x) {
            double distance = 1;
            for (const Edge& e : edges) distance = std::min(distance, e.a * double(x) + e.b * double(y) + e.c);
            *mask.at(y, x) = std::uint8_t(std::lround(255 * std::clamp(distance + 0.5, 0.0, 1.0)));
        }
    return mask;
}

ImageF brows_mask(std::span<const Landmarks> faces, double grow, std::int64_t H, std::int64_t W)
{
    ImageF mask(H, W, 1);
    if (faces.empty()) return mask;
    for (const int first : {18, 22}) {
        std::vector<Point> brow;
        for (const Landmarks& p : faces) brow.insert(brow.end(), p.begin() + first, p.begin() + first + 4);
        draw_grown(brow, grow, mask);
    }
    return mask;
}

Image eyes_mouth_mask(const Landmarks& points, std::int64_t side, std::int64_t H, std::int64_t W)
{
    const double window = double(side) / 16, sigma = 0.3 * ((window - 1) / 2 - 1) + 0.8;
    ImageF mask(H, W, 1);
    for (const auto& [first, last] : {std::pair{36, 42}, {42, 48}, {60, 68}})
        draw_grown({points.begin() + first, points.begin() + last}, double(side) / 64, mask);
    mask = blurred(mask, std::max(0.3, sigma), std::max(1, int(window / 2)));
    const float largest = *std::max_element(mask.pixels.begin(), mask.pixels.end());
    for (float& v : mask.pixels) v /= largest > 0 ? largest : 1;
    return to_bytes(mask);
}

} // namespace bifrons::data
