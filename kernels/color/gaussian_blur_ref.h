// kernels/color/gaussian_blur_ref.h - Gaussian low-pass in loops: the definition. T = double is the oracle.
#pragma once

#include "kernels/color/gaussian_blur.h"

#include <cmath>
#include <vector>

namespace bifrons::kernels::ref {

/// g(-radius) .. g(radius), formed in double.
inline std::vector<double> gaussian_taps(const BlurShape& s)
{
    std::vector<double> taps;
    double sum = 0;
    for (int i = -s.radius(); i <= s.radius(); ++i) {
        taps.push_back(std::exp(-0.5 * i * i / (double(s.sigma) * double(s.sigma))));
        sum += taps.back();
    }
    for (double& tap : taps) tap /= sum;
    return taps;
}

template <class T>
void gaussian_blur(const BlurShape& s, const T* x, T* y)
{
    const std::vector<double> taps = gaussian_taps(s);
    const int radius = s.radius();
    for (std::int64_t n = 0; n < s.N; ++n)
        for (std::int64_t h = 0; h < s.H; ++h)
            for (std::int64_t w = 0; w < s.W; ++w)
                for (std::int64_t c = 0; c < s.C; ++c) {
                    T sum = 0;
                    for (std::int64_t i = -radius; i <= radius; ++i)
                        for (std::int64_t j = -radius; j <= radius; ++j)
                            if (h + i >= 0 && h + i < s.H && w + j >= 0 && w + j < s.W)
                                sum += T(taps[std::size_t(i + radius)] * taps[std::size_t(j + radius)]) *
                                       x[((n * s.H + h + i) * s.W + w + j) * s.C + c];
                    y[((n * s.H + h) * s.W + w) * s.C + c] = sum;
                }
}

} // namespace bifrons::kernels::ref
