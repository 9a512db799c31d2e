// kernels/color/lab.h - one pixel between sRGB and CIE L*a*b*.
//
//   v = c / 12.92 if c <= 0.04045, else ((c + 0.055) / 1.055)^2.4                       (IEC 61966-2-1)
//   X,Y,Z = M v,  divided by the white point D65 = M (1,1,1), so that grey has a = b = 0
//   f(t) = t^(1/3) if t > (6/29)^3, else t / (3 (6/29)^2) + 4/29
//   L = 116 f(Y) - 16     a = 500 (f(X) - f(Y))     b = 200 (f(Y) - f(Z))                (CIE 15:2004)
//
// L is 0..100, a and b about -128..128. T = double is the definition.
#pragma once

#include "kernels/base/clamp.h"

#include <cmath>

namespace bifrons::kernels {

/// The rows of M for red, green, blue; each divided by its sum.
template <class T>
BIFRONS_HD void xyz_of_rgb(const T* rgb, T* xyz)
{
    constexpr T m[3][3] = {{T(0.4124 / 0.9505), T(0.3576 / 0.9505), T(0.1805 / 0.9505)},
                           {T(0.2126), T(0.7152), T(0.0722)},
                           {T(0.0193 / 1.0890), T(0.1192 / 1.0890), T(0.9505 / 1.0890)}};
    for (int k = 0; k < 3; ++k) xyz[k] = m[k][0] * rgb[0] + m[k][1] * rgb[1] + m[k][2] * rgb[2];
}

/// The inverse of the matrix above.
template <class T>
BIFRONS_HD void rgb_of_xyz(const T* xyz, T* rgb)
{
    constexpr T m[3][3] = {{T(3.0802145161927106), T(-1.5372079722103187), T(-0.5430065439823919)},
                           {T(-0.920968644350218), T(1.875756060885241), T(0.04521258346497684)},
                           {T(0.05295246948345784), T(-0.2040210505984867), T(1.1510685811150287)}};
    for (int k = 0; k < 3; ++k) rgb[k] = m[k][0] * xyz[0] + m[k][1] * xyz[1] + m[k][2] * xyz[2];
}

template <class T>
BIFRONS_HD T srgb_to_linear(T c)
{
    return c <= T(0.04045) ? c / T(12.92) : std::pow((c + T(0.055)) / T(1.055), T(2.4));
}

template <class T>
BIFRONS_HD T linear_to_srgb(T v)
{
    return v <= T(0.0031308) ? v * T(12.92) : T(1.055) * std::pow(v, T(1 / 2.4)) - T(0.055);
}

template <class T>
BIFRONS_HD T lab_curve(T t)
{
    return t > T(216.0 / 24389) ? std::cbrt(t) : t * T(841.0 / 108) + T(4.0 / 29);
}

template <class T>
BIFRONS_HD T lab_curve_inverse(T f)
{
    return f > T(6.0 / 29) ? f * f * f : (f - T(4.0 / 29)) * T(108.0 / 841);
}

/// bgr 0..1, clipped to it.
template <class T>
BIFRONS_HD void pixel_to_lab(const T* bgr, T* lab)
{
    T rgb[3], f[3];
    for (int k = 0; k < 3; ++k) rgb[k] = srgb_to_linear(clamp(bgr[2 - k], T(0), T(1)));
    xyz_of_rgb(rgb, f);
    for (int k = 0; k < 3; ++k) f[k] = lab_curve(f[k]);
    lab[0] = 116 * f[1] - 16;
    lab[1] = 500 * (f[0] - f[1]);
    lab[2] = 200 * (f[1] - f[2]);
}

/// Colours that sRGB does not have are clipped channel by channel.
template <class T>
BIFRONS_HD void pixel_from_lab(const T* lab, T* bgr)
{
    const T y = (lab[0] + 16) / 116;
    const T xyz[3] = {lab_curve_inverse(y + lab[1] / 500), lab_curve_inverse(y), lab_curve_inverse(y - lab[2] / 200)};
    T rgb[3];
    rgb_of_xyz(xyz, rgb);
    for (int k = 0; k < 3; ++k) bgr[2 - k] = clamp(linear_to_srgb(rgb[k]), T(0), T(1));
}

} // namespace bifrons::kernels
