// kernels/color/color_ref.h - statistics, Reinhard's transfer and the light's gain in loops: the definition. T = double
// is the oracle.
#pragma once

#include "kernels/color/color.h"
#include "kernels/color/gaussian_blur_ref.h"
#include "kernels/color/lab.h"

#include <algorithm>

namespace bifrons::kernels::ref {

inline constexpr double kLargestRatio = 4;   ///< of two deviations, and the inverse of the smallest
inline constexpr double kLargestGain = 2;    ///< of light, and the inverse of the smallest
inline constexpr double kLeastLuma = 1e-3;   ///< added to both of a ratio: black has no shading
inline constexpr double kLeastWeight = 1e-4; ///< of the blurred mask: below it the gain is 1

template <class T>
void color_statistics(std::int64_t n, const T* x, const T* mask, T* statistics)
{
    T weight = 0;
    for (std::int64_t i = 0; i < n; ++i) weight += mask[i];
    for (int c = 0; c < 3; ++c) {
        T sum = 0, squares = 0;
        for (std::int64_t i = 0; i < n; ++i) sum += mask[i] * x[3 * i + c];
        const T mean = weight > 0 ? sum / weight : T(0);
        for (std::int64_t i = 0; i < n; ++i) squares += mask[i] * (x[3 * i + c] - mean) * (x[3 * i + c] - mean);
        statistics[c] = mean;
        statistics[3 + c] = weight > 0 ? std::sqrt(squares / weight) : T(0);
    }
}

/// The line lab' = scale lab + shift of each channel, from both pictures' statistics.
template <class T>
BIFRONS_HD void transfer_line(const T* from, const T* to, T* scale, T* shift)
{
    for (int c = 0; c < 3; ++c) {
        const T ratio = from[3 + c] > 0 ? to[3 + c] / from[3 + c] : T(1);
        scale[c] = clamp(ratio, T(1 / kLargestRatio), T(kLargestRatio));
        shift[c] = to[c] - scale[c] * from[c];
    }
}

template <class T>
BIFRONS_HD void transfer_pixel(const T* x, const T* lab, const T* scale, const T* shift, T alpha, T* out)
{
    T moved[3], bgr[3];
    for (int c = 0; c < 3; ++c) moved[c] = scale[c] * lab[c] + shift[c];
    pixel_from_lab(moved, bgr);
    for (int c = 0; c < 3; ++c) out[c] = x[c] + alpha * (bgr[c] - x[c]);
}

template <class T>
void color_transfer(std::int64_t n, const T* x, const T* target, const T* mask, T alpha, T* out)
{
    std::vector<T> lab_x(std::size_t(3 * n)), lab_target(lab_x);
    for (std::int64_t i = 0; i < n; ++i) {
        pixel_to_lab(x + 3 * i, &lab_x[std::size_t(3 * i)]);
        pixel_to_lab(target + 3 * i, &lab_target[std::size_t(3 * i)]);
    }
    T from[6], to[6], scale[3], shift[3];
    color_statistics(n, lab_x.data(), mask, from);
    color_statistics(n, lab_target.data(), mask, to);
    transfer_line(from, to, scale, shift);
    if (!std::any_of(mask, mask + n, [](T m) { return m > 0; })) alpha = 0;
    for (std::int64_t i = 0; i < n; ++i)
        transfer_pixel(x + 3 * i, &lab_x[std::size_t(3 * i)], scale, shift, alpha, out + 3 * i);
}

template <class T>
BIFRONS_HD T luma(const T* bgr)
{
    return T(0.0722) * bgr[0] + T(0.7152) * bgr[1] + T(0.2126) * bgr[2];
}

/// Gain of a pixel from the blurred mask and the blurred, masked luma of both pictures.
template <class T>
BIFRONS_HD T light_gain(T weight, T luma_x, T luma_target, T beta)
{
    if (!(weight >= T(kLeastWeight))) return T(1);
    const T ratio = (luma_target + T(kLeastLuma) * weight) / (luma_x + T(kLeastLuma) * weight);
    return std::pow(clamp(ratio, T(1 / kLargestGain), T(kLargestGain)), beta);
}

template <class T>
void light_transfer(const LightShape& s, const T* x, const T* target, const T* mask, T beta, T* out)
{
    const std::size_t n = std::size_t(s.pixels());
    std::vector<T> luma_x(n), luma_target(n), weight(n);
    for (std::size_t i = 0; i < n; ++i) {
        luma_x[i] = mask[i] * luma(x + 3 * i);
        luma_target[i] = mask[i] * luma(target + 3 * i);
    }
    const auto low = [&](const std::vector<T>& y) {
        std::vector<T> blurred(n);
        gaussian_blur(BlurShape{s.H, s.W, 1, s.sigma}, y.data(), blurred.data());
        return blurred;
    };
    luma_x = low(luma_x);
    luma_target = low(luma_target);
    weight = low(std::vector<T>(mask, mask + n));
    for (std::size_t i = 0; i < n; ++i) {
        const T gain = light_gain(weight[i], luma_x[i], luma_target[i], beta);
        for (std::size_t c = 0; c < 3; ++c) out[3 * i + c] = x[3 * i + c] * gain;
    }
}

} // namespace bifrons::kernels::ref
