// kernels/color/match_ref.h - colour transfers in loops, in double, with real sorting: the definition. One pair.
#pragma once

#include "kernels/color/color_map.h"
#include "kernels/color/color_ref.h"
#include "kernels/color/slice.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace bifrons::kernels::ref {

/// The pixels that count, in the order of their projections.
inline std::vector<std::size_t> sorted_by_projection(const std::vector<std::size_t>& pixels,
                                                     const std::vector<double>& picture, const float* direction)
{
    const auto project = [&](std::size_t i) {
        return double(direction[0]) * picture[3 * i] + double(direction[1]) * picture[3 * i + 1] +
               double(direction[2]) * picture[3 * i + 2];
    };
    std::vector<std::size_t> order = pixels;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return project(a) < project(b); });
    return order;
}

/// x after some rounds of idt or sot, before it is smoothed and clipped. random: of the directions.
inline std::vector<double> sliced_transport(ColorMatch kind, int rounds, const std::vector<std::size_t>& pixels,
                                            std::vector<double> x, const std::vector<double>& y, const Rng& random)
{
    const Slicing slicing = slicing_of(kind);
    for (int round = 0; round < rounds; ++round) {
        std::vector<double> way(x.size());
        for (int k = 0; k < slicing.directions; ++k) {
            float d[3];
            draw_direction(random, kind, round, k, d);
            const auto from = sorted_by_projection(pixels, x, d), to = sorted_by_projection(pixels, y, d);
            for (std::size_t i = 0; i < from.size(); ++i) {
                double far = 0;
                for (std::size_t c = 0; c < 3; ++c) far += double(d[c]) * (y[3 * to[i] + c] - x[3 * from[i] + c]);
                for (std::size_t c = 0; c < 3; ++c) way[3 * from[i] + c] += far * double(d[c]);
            }
        }
        for (std::size_t i = 0; i < x.size(); ++i) x[i] += double(slicing.step) * way[i];
    }
    return x;
}

/// What is smooth of moved - x, added to x: weighted with the mask, 1 or 0 a pixel.
inline std::vector<double> smooth_way(const MatchShape& s, const std::vector<double>& x,
                                      const std::vector<double>& moved, const std::vector<double>& counts)
{
    const std::size_t n = std::size_t(s.pixels());
    std::vector<double> planes(4 * n), blurred(4 * n), out = x;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t c = 0; c < 3; ++c) planes[4 * i + c] = counts[i] * (moved[3 * i + c] - x[3 * i + c]);
        planes[4 * i + 3] = counts[i];
    }
    gaussian_blur(match_blur(s, 4), planes.data(), blurred.data());
    for (std::size_t i = 0; i < n; ++i)
        if (blurred[4 * i + 3] > 0)
            for (std::size_t c = 0; c < 3; ++c) out[3 * i + c] += blurred[4 * i + c] / blurred[4 * i + 3];
    return out;
}

} // namespace bifrons::kernels::ref
