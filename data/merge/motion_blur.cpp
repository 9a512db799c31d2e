// data/merge/motion_blur.cpp - the smear of what moves while the shutter is open.
#include "data/merge/motion_blur.h"

#include <algorithm>
#include <cmath>

namespace bifrons::data {

namespace {

/// Adds the picture, seen from `shift` px further on.
void add_shifted(const ImageF& picture, Point shift, ImageF& sum)
{
    const auto dy = std::int64_t(std::floor(shift.y)), dx = std::int64_t(std::floor(shift.x));
    const auto v = float(shift.y - double(dy)), u = float(shift.x - double(dx));
    const auto row = [&](std::int64_t y) { return std::clamp<std::int64_t>(y, 0, picture.H - 1); };
    const auto column = [&](std::int64_t x) { return std::clamp<std::int64_t>(x, 0, picture.W - 1); };
    for (std::int64_t y = 0; y < picture.H; ++y)
        for (std::int64_t x = 0; x < picture.W; ++x) {
            const float *a = picture.at(row(y + dy), column(x + dx)), *b = picture.at(row(y + dy), column(x + dx + 1)),
                        *c = picture.at(row(y + dy + 1), column(x + dx)),
                        *d = picture.at(row(y + dy + 1), column(x + dx + 1));
            float* to = sum.at(y, x);
            for (std::int64_t k = 0; k < picture.C; ++k)
                to[k] += (1 - v) * ((1 - u) * a[k] + u * b[k]) + v * ((1 - u) * c[k] + u * d[k]);
        }
}

} // namespace

void motion_blur(ImageF& picture, Point motion)
{
    const double length = std::hypot(motion.x, motion.y);
    if (length < 0.5) return;
    const int n = int(std::ceil(length)) + 1;
    ImageF sum(picture.H, picture.W, picture.C);
    for (int k = 0; k < n; ++k) {
        const double at = double(k) / (n - 1) - 0.5;
        add_shifted(picture, {at * motion.x, at * motion.y}, sum);
    }
    for (float& value : sum.pixels) value /= float(n);
    picture = std::move(sum);
}

} // namespace bifrons::data
