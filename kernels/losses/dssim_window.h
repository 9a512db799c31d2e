// kernels/losses/dssim_window.h - what the devices share: the window's taps, and one window's loss and slopes.
//
// With d = a - b, and under the window: L = mean_d^2 / (mean_a^2 + mean_b^2 + c1) and
// S = var_d / (var_a + var_b + c2), ssim is (1 - L)(1 - S). So the loss is (L + S - L S) / 2, which does not cancel for
// pictures that are alike, and four filtered maps suffice: a, d, a^2 + b^2, d^2.
//
// The gradient of a window's loss with respect to a pixel under it is weight * (A + B a + D d) with A, B, D
// constants of the window.
#pragma once

#include "kernels/losses/dssim.h"

#include <algorithm>
#include <cmath>

namespace bifrons::kernels {

constexpr int kMaxDssimTaps = 18;

/// How many of a window's taps are not below 2^-24 of the centre: 8.65 px from it, exp(-x^2 / 4.5) = 2^-24.
inline int dssim_taps(int window)
{
    return std::min(window, window % 2 ? kMaxDssimTaps - 1 : kMaxDssimTaps);
}

template <class T>
struct DssimTaps {
    T weight[kMaxDssimTaps] = {};
};

/// A Gaussian of sigma 1.5 px, of sum 1.
template <class T>
DssimTaps<T> gaussian_taps(int taps)
{
    DssimTaps<double> gauss;
    double sum = 0;
    for (int t = 0; t < taps; ++t) {
        const double x = t - (taps - 1) / 2.0;
        sum += gauss.weight[t] = std::exp(-x * x / (2 * 1.5 * 1.5));
    }
    DssimTaps<T> normalised;
    for (int t = 0; t < taps; ++t) normalised.weight[t] = T(gauss.weight[t] / sum);
    return normalised;
}

/// L and S of one window, and their denominators.
template <class T>
struct DssimParts {
    T mean_norm, var_norm, L, S;

    BIFRONS_HD T loss() const { return (L + S - L * S) / 2; }
};

/// From the window's means of a, d, a^2 + b^2 and d^2.
template <class T>
BIFRONS_HD __attribute__((always_inline)) inline DssimParts<T> dssim_parts(T a, T d, T squares, T dd)
{
    const T b = a - d, means = a * a + b * b;
    DssimParts<T> p{means + T(0.01 * 0.01), squares - means + T(0.03 * 0.03), 0, 0};
    p.L = d * d / p.mean_norm;
    p.S = (dd - d * d) / p.var_norm;
    return p;
}

template <class T>
struct DssimSlopes {
    T A, B, D;
};

template <class T>
BIFRONS_HD __attribute__((always_inline)) inline DssimSlopes<T> dssim_slopes(T a, T d, const DssimParts<T>& p)
{
    const T slope = (1 - p.L) / p.var_norm;
    return {(1 - p.S) * (d - p.L * a) / p.mean_norm + slope * (p.S * a - d), -p.S * slope, slope};
}

} // namespace bifrons::kernels
