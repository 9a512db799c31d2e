// kernels/augment/blur_outside_ref.h - the smoothed background in loops, with the full two-dimensional window: the
// definition.
#pragma once

#include "kernels/augment/blur_outside.h"
#include "kernels/base/clamp.h"

#include <cmath>

namespace bifrons::kernels {

/// What a pixel becomes: v [3] from the blurred (1 - M) x and the blurred 1 - M.
template <class T>
BIFRONS_HD void mix_outside(T mask, const T* blurred, T weight, T* v)
{
    for (int c = 0; c < 3; ++c) {
        const T background = weight > 0 ? blurred[c] / weight : T(0);
        v[c] = mask * v[c] + (1 - mask) * background;
    }
}

namespace ref {

template <class T>
void blur_outside(const BlurOutsideShape& s, const T* mask, const T* x, T* y)
{
    const int radius = s.radius();
    const auto tap = [&](int d) { return std::exp(-T(d) * d / (2 * T(s.sigma) * T(s.sigma))); };
    for (std::int64_t n = 0; n < s.N; ++n)
        for (std::int64_t h = 0; h < s.H; ++h)
            for (std::int64_t w = 0; w < s.W; ++w) {
                T blurred[3] = {}, weight = 0;
                for (int i = -radius; i <= radius; ++i)
                    for (int j = -radius; j <= radius; ++j) {
                        if (h + i < 0 || h + i >= s.H || w + j < 0 || w + j >= s.W) continue;
                        const std::int64_t at = (n * s.H + h + i) * s.W + w + j;
                        const T share = tap(i) * tap(j) * (1 - mask[at]);
                        weight += share;
                        for (int c = 0; c < 3; ++c) blurred[c] += share * x[3 * at + c];
                    }
                const std::int64_t at = (n * s.H + h) * s.W + w;
                for (int c = 0; c < 3; ++c) y[3 * at + c] = x[3 * at + c];
                mix_outside(mask[at], blurred, weight, y + 3 * at);
            }
}

} // namespace ref

} // namespace bifrons::kernels
