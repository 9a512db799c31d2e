// tests/data/faces.h - landmarks of a made-up face.
#pragma once

#include "data/alignment.h"

#include <algorithm>
#include <cmath>

namespace bifrons::test {

/// The mean face, upright, `unit` px from brow end to brow end, its template's corner at (left, top). The jaw is a half
/// circle around the nose's line, the mouth an ellipse.
inline data::Landmarks mean_landmarks(double unit, double left, double top)
{
    data::Landmarks points;
    const double middle = data::kMeanFace[10].x;
    for (std::size_t i = 0; i < 17; ++i) {
        const double angle = 3.14159265358979 * double(i) / 16;
        points[i] = {middle - 0.6 * std::cos(angle), 0.3 + 0.85 * std::sin(angle)};
    }
    std::copy(data::kMeanFace.begin(), data::kMeanFace.begin() + 32, points.begin() + 17);
    for (std::size_t i = 49; i < 68; ++i) {
        const double angle = 2 * 3.14159265358979 * double(i - 48) / 20;
        points[i] = {middle - 0.23 * std::cos(angle), 0.78 - 0.06 * std::sin(angle)};
    }
    points[54] = data::kMeanFace[32];
    return data::Affine{{unit, 0, left, 0, unit, top}}(points);
}

/// Turned by `angle` rad, clockwise as seen, scaled and moved.
inline data::Affine turned(double angle, double scale, double x, double y)
{
    const double c = scale * std::cos(angle), s = scale * std::sin(angle);
    return {{c, -s, x, s, c, y}};
}

} // namespace bifrons::test
