// kernels/poisson/poisson_ref.h - divergence and Laplacian in loops: the definition. T = double is the oracle. The
// solution itself is defined by laplacian(f) = divergence inside the mask. For comparisons: OpenCV's mixing mask.
#pragma once

#include "kernels/poisson/poisson.h"

#include <algorithm>
#include <vector>

namespace bifrons::kernels::ref {

/// Whether pixel (y, x) is solved for. mask may be null: every pixel but those on the picture's edge.
BIFRONS_HD inline bool poisson_inside(const PoissonShape& s, const std::uint8_t* mask, std::int64_t y, std::int64_t x)
{
    if (y < 1 || x < 1 || y >= s.H - 1 || x >= s.W - 1) return false;
    return !mask || mask[y * s.W + x] != 0;
}

/// v = m * grad S + (1 - m) * grad D at i, towards the neighbour `step` elements on.
template <class T, class P>
BIFRONS_HD T guidance(const PoissonShape& s, const P* source, const P* target, const T* m, std::int64_t i,
                      std::int64_t step)
{
    const T ds = T(source[i + step]) - T(source[i]);
    if (!m) return ds;
    const T w = m[i / s.C];
    return w * ds + (1 - w) * (T(target[i + step]) - T(target[i]));
}

/// div v at element i.
template <class T, class P>
BIFRONS_HD T divergence_at(const PoissonShape& s, const P* source, const P* target, const T* m, std::int64_t i)
{
    const std::int64_t down = s.W * s.C, right = s.C;
    if (!poisson_inside(s, nullptr, i / s.C / s.W, i / s.C % s.W)) return T(0);
    return guidance(s, source, target, m, i, down) - guidance(s, source, target, m, i - down, down) +
           guidance(s, source, target, m, i, right) - guidance(s, source, target, m, i - right, right);
}

template <class T, class P>
void poisson_divergence(const PoissonShape& s, const P* source, const P* target, const T* m, T* divergence)
{
    for (std::int64_t i = 0; i < s.size(); ++i) divergence[i] = divergence_at(s, source, target, m, i);
}

/// lap f at element i of a pixel that is not on the picture's edge.
template <class T>
BIFRONS_HD T laplacian(const PoissonShape& s, const T* f, std::int64_t i)
{
    const std::int64_t down = s.W * s.C, right = s.C;
    return f[i - down] + f[i + down] + f[i - right] + f[i + right] - 4 * f[i];
}

/// The least value of the mask in a window of 7x7; 0 outside the picture.
inline int least_about(const PoissonShape& s, const std::uint8_t* mask, std::int64_t y, std::int64_t x)
{
    if (y < 3 || x < 3 || y >= s.H - 3 || x >= s.W - 3) return 0;
    int least = 255;
    for (std::int64_t v = y - 3; v <= y + 3; ++v)
        for (std::int64_t u = x - 3; u <= x + 3; ++u) least = std::min<int>(least, mask[v * s.W + u]);
    return least;
}

/// The m of OpenCV's seamlessClone (4.6, NORMAL_CLONE): mask / 255, eroded by 7x7.
template <class T>
std::vector<T> eroded_mask(const PoissonShape& s, const std::uint8_t* mask)
{
    std::vector<T> m(std::size_t(s.pixels()));
    for (std::int64_t i = 0; i < s.pixels(); ++i) m[std::size_t(i)] = T(least_about(s, mask, i / s.W, i % s.W)) / 255;
    return m;
}

} // namespace bifrons::kernels::ref
