// data/geometry.cpp - points, rectangles and affine maps of pictures.
#include "data/geometry.h"

#include <algorithm>
#include <cmath>
#include <complex>

namespace bifrons::data {

double overlap(const Rect& a, const Rect& b)
{
    const Rect both = {std::max(a.left, b.left), std::max(a.top, b.top), std::min(a.right, b.right),
                       std::min(a.bottom, b.bottom)};
    const double total = a.area() + b.area() - both.area();
    return total > 0 ? both.area() / total : 0;
}

Landmarks Affine::operator()(const Landmarks& points) const
{
    Landmarks out;
    std::transform(points.begin(), points.end(), out.begin(), [this](Point p) { return (*this)(p); });
    return out;
}

Affine Affine::after(const Affine& b) const
{
    return {{m[0] * b.m[0] + m[1] * b.m[3], m[0] * b.m[1] + m[1] * b.m[4], m[0] * b.m[2] + m[1] * b.m[5] + m[2],
             m[3] * b.m[0] + m[4] * b.m[3], m[3] * b.m[1] + m[4] * b.m[4], m[3] * b.m[2] + m[4] * b.m[5] + m[5]}};
}

Affine Affine::inverse() const
{
    const double d = m[0] * m[4] - m[1] * m[3];
    return {
        {m[4] / d, -m[1] / d, (m[1] * m[5] - m[4] * m[2]) / d, -m[3] / d, m[0] / d, (m[3] * m[2] - m[0] * m[5]) / d}};
}

double Affine::scale() const
{
    return std::sqrt(std::abs(m[0] * m[4] - m[1] * m[3]));
}

Affine similarity(std::span<const Point> from, std::span<const Point> to)
{
    // In the plane Umeyama's solution is the complex number z that minimises sum |z (a - mean a) - (b - mean b)|^2.
    using Complex = std::complex<double>;
    const auto n = double(from.size());
    Complex mean_from, mean_to, correlation;
    double variance = 0;
    for (const Point& p : from) mean_from += Complex(p.x, p.y) / n;
    for (const Point& p : to) mean_to += Complex(p.x, p.y) / n;
    for (std::size_t i = 0; i < from.size(); ++i) {
        const Complex a = Complex(from[i].x, from[i].y) - mean_from, b = Complex(to[i].x, to[i].y) - mean_to;
        correlation += std::conj(a) * b;
        variance += std::norm(a);
    }
    const Complex z = correlation / variance, shift = mean_to - z * mean_from;
    return {{z.real(), -z.imag(), shift.real(), z.imag(), z.real(), shift.imag()}};
}

} // namespace bifrons::data
