// kernels/losses/dssim_ref.h - structural dissimilarity by its definition: every window in full, moments about the
// mean. T = double is the oracle. For tests: small pictures.
#pragma once

#include "kernels/losses/dssim.h"

#include <cmath>
#include <vector>

namespace bifrons::kernels::ref {

constexpr double kSsimC1 = 0.01 * 0.01, kSsimC2 = 0.03 * 0.03;

/// Weights [window,window] of a Gaussian of sigma 1.5 px; their sum is 1.
template <class T>
std::vector<T> gaussian_window(int window)
{
    std::vector<T> weight(std::size_t(window) * std::size_t(window));
    T sum = 0;
    for (int i = 0; i < window * window; ++i) {
        const T y = T(i / window) - T(window - 1) / 2, x = T(i % window) - T(window - 1) / 2;
        sum += weight[std::size_t(i)] = std::exp(-(x * x + y * y) / T(2 * 1.5 * 1.5));
    }
    for (T& w : weight) w /= sum;
    return weight;
}

/// One channel of two pictures seen through the window whose first pixel is (y, x) of sample n.
template <class T>
struct SsimWindow {
    T mean_a = 0, mean_b = 0, var_a = 0, var_b = 0, cov = 0;

    T means() const { return (2 * mean_a * mean_b + T(kSsimC1)) / mean_norm(); }
    T structure() const { return (2 * cov + T(kSsimC2)) / var_norm(); }
    T mean_norm() const { return mean_a * mean_a + mean_b * mean_b + T(kSsimC1); }
    T var_norm() const { return var_a + var_b + T(kSsimC2); }
};

/// Calls visit(weight, index of the pixel's value, index of its mask) for every pixel of a window.
template <class T, class Visit>
void for_window(const DssimShape& s, const std::vector<T>& weight, std::int64_t n, std::int64_t y, std::int64_t x,
                std::int64_t c, const Visit& visit)
{
    for (int i = 0; i < s.window * s.window; ++i) {
        const std::int64_t pixel = (n * s.H + y + i / s.window) * s.W + x + i % s.window;
        visit(weight[std::size_t(i)], pixel * s.C + c, pixel);
    }
}

template <class T>
SsimWindow<T> ssim_window(const DssimShape& s, const std::vector<T>& weight, const T* a, const T* b, const T* mask,
                          std::int64_t n, std::int64_t y, std::int64_t x, std::int64_t c)
{
    SsimWindow<T> w;
    for_window(s, weight, n, y, x, c, [&](T g, std::int64_t i, std::int64_t pixel) {
        const T m = mask ? mask[pixel] : T(1);
        w.mean_a += g * m * a[i], w.mean_b += g * m * b[i];
    });
    for_window(s, weight, n, y, x, c, [&](T g, std::int64_t i, std::int64_t pixel) {
        const T m = mask ? mask[pixel] : T(1), da = m * a[i] - w.mean_a, db = m * b[i] - w.mean_b;
        w.var_a += g * da * da, w.var_b += g * db * db, w.cov += g * da * db;
    });
    return w;
}

/// Calls visit(n, y, x, c) for the first pixel of every window.
template <class Visit>
void for_windows(const DssimShape& s, const Visit& visit)
{
    for (std::int64_t n = 0; n < s.N; ++n)
        for (std::int64_t y = 0; y + s.window <= s.H; ++y)
            for (std::int64_t x = 0; x + s.window <= s.W; ++x)
                for (std::int64_t c = 0; c < s.C; ++c) visit(n, y, x, c);
}

inline double window_count(const DssimShape& s)
{
    return double(s.N) * double(s.H - s.window + 1) * double(s.W - s.window + 1) * double(s.C);
}

template <class T>
void dssim_fwd(const DssimShape& s, const T* a, const T* b, const T* mask, T scale, T* loss)
{
    const auto weight = gaussian_window<T>(s.window);
    T sum = 0;
    for_windows(s, [&](std::int64_t n, std::int64_t y, std::int64_t x, std::int64_t c) {
        const SsimWindow<T> w = ssim_window(s, weight, a, b, mask, n, y, x, c);
        sum += (1 - w.means() * w.structure()) / 2;
    });
    *loss = scale * sum / T(window_count(s));
}

/// v = upstream * dloss/da, before it is stored: the quotient rule on ssim, window by window.
template <class T>
void dssim_grad(const DssimShape& s, const T* a, const T* b, const T* mask, T scale, T upstream, T* v)
{
    const auto weight = gaussian_window<T>(s.window);
    const T factor = upstream * scale / T(window_count(s)) / -2;
    for (std::int64_t i = 0; i < s.N * s.H * s.W * s.C; ++i) v[i] = 0;
    for_windows(s, [&](std::int64_t n, std::int64_t y, std::int64_t x, std::int64_t c) {
        const SsimWindow<T> w = ssim_window(s, weight, a, b, mask, n, y, x, c);
        for_window(s, weight, n, y, x, c, [&](T g, std::int64_t i, std::int64_t pixel) {
            const T m = mask ? mask[pixel] : T(1);
            const T means_slope = 2 * (w.mean_b - w.means() * w.mean_a) / w.mean_norm();
            const T structure_slope = 2 * (m * b[i] - w.mean_b - w.structure() * (m * a[i] - w.mean_a)) / w.var_norm();
            v[i] += factor * m * g * (means_slope * w.structure() + structure_slope * w.means());
        });
    });
}

} // namespace bifrons::kernels::ref
