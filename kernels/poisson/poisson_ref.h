// kernels/poisson/poisson_ref.h - divergence, Laplacian and OpenCV's guidance in loops: the definition. T = double is
// the oracle. The solution itself is defined by laplacian(f) = divergence inside the mask.
#pragma once

#include "kernels/poisson/poisson.h"

#include <algorithm>
#include <vector>

namespace bifrons::kernels::ref {

/// Whether pixel (y, x) is solved for. mask may be null: every pixel but those on the picture's edge.
inline bool poisson_inside(const PoissonShape& s, const std::uint8_t* mask, std::int64_t y, std::int64_t x)
{
    if (y < 1 || x < 1 || y >= s.H - 1 || x >= s.W - 1) return false;
    return !mask || mask[y * s.W + x] != 0;
}

/// v = m * grad S + (1 - m) * grad D at i, towards the neighbour `step` elements on.
template <class T, class P>
T guidance(const PoissonShape& s, const P* source, const P* target, const T* m, std::int64_t i, std::int64_t step)
{
    const T ds = T(source[i + step]) - T(source[i]);
    if (!m) return ds;
    const T w = m[i / s.C];
    return w * ds + (1 - w) * (T(target[i + step]) - T(target[i]));
}

template <class T, class P>
void poisson_divergence(const PoissonShape& s, const P* source, const P* target, const T* m, T* divergence)
{
    const std::int64_t down = s.W * s.C, right = s.C;
    for (std::int64_t i = 0; i < s.size(); ++i) {
        const bool inside = poisson_inside(s, nullptr, i / s.C / s.W, i / s.C % s.W);
        divergence[i] =
            inside ? guidance(s, source, target, m, i, down) - guidance(s, source, target, m, i - down, down) +
                         guidance(s, source, target, m, i, right) - guidance(s, source, target, m, i - right, right)
                   : T(0);
    }
}

/// lap f at element i of a pixel that is not on the picture's edge.
template <class T>
T laplacian(const PoissonShape& s, const T* f, std::int64_t i)
{
    const std::int64_t down = s.W * s.C, right = s.C;
    return f[i - down] + f[i + down] + f[i - right] + f[i + right] - 4 * f[i];
}

/// m = mask / 255, the least in a window of 7x7; 0 outside the picture.
template <class T>
std::vector<T> eroded_mask(const PoissonShape& s, const std::uint8_t* mask)
{
    std::vector<T> m(std::size_t(s.pixels()));
    for (std::int64_t y = 0; y < s.H; ++y)
        for (std::int64_t x = 0; x < s.W; ++x) {
            int least = 255;
            for (std::int64_t v = y - 3; v <= y + 3; ++v)
                for (std::int64_t u = x - 3; u <= x + 3; ++u)
                    least = std::min<int>(least, v < 0 || u < 0 || v >= s.H || u >= s.W ? 0 : mask[v * s.W + u]);
            m[std::size_t(y * s.W + x)] = T(least) / 255;
        }
    return m;
}

} // namespace bifrons::kernels::ref
