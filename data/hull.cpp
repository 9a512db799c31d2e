// data/hull.cpp - the region of a face, from its landmarks.
#include "data/hull.h"

#include <algorithm>
#include <cmath>
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

} // namespace bifrons::data
