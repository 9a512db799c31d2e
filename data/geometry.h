// data/geometry.h - points, rectangles and affine maps of pictures.
//
// Coordinates are in pixels, x to the right and y down, and whole numbers are the centres of pixels, as in dlib and
// OpenCV: a picture W wide reaches from -0.5 to W - 0.5.
#pragma once

#include <array>
#include <span>

namespace bifrons::data {

struct Point {
    double x = 0, y = 0;
};

struct Rect {
    double left = 0, top = 0, right = 0, bottom = 0;
    double width() const { return right - left; }
    double height() const { return bottom - top; }
    bool operator==(const Rect&) const = default;
    double area() const { return width() > 0 && height() > 0 ? width() * height() : 0; }
};

/// Intersection over union, 0..1.
double overlap(const Rect& a, const Rect& b);

/// The 68 points of the iBUG scheme: 0-16 jaw from the picture's left, 17-26 brows, 27-35 nose, 36-47 eyes, 48-67
/// mouth.
using Landmarks = std::array<Point, 68>;

/// x' = m[0] x + m[1] y + m[2],  y' = m[3] x + m[4] y + m[5].
struct Affine {
    std::array<double, 6> m = {1, 0, 0, 0, 1, 0};

    Point operator()(Point p) const { return {m[0] * p.x + m[1] * p.y + m[2], m[3] * p.x + m[4] * p.y + m[5]}; }
    Landmarks operator()(const Landmarks& points) const;
    /// First `before`, then this.
    Affine after(const Affine& before) const;
    Affine inverse() const;
    /// Square root of the area that a unit square becomes.
    double scale() const;
};

/// The rotation, scale and shift that take `from` to `to` with the least squared error (Umeyama 1991, PAMI 13(4):376,
/// eq. 40-43). Same number of points, at least 2, not all equal.
Affine similarity(std::span<const Point> from, std::span<const Point> to);

} // namespace bifrons::data
