// kernels/base/exact_math.h - functions with the same bits on every device and in every build: integers, explicit fma,
// division and square root only, no libm and nothing that a compiler may contract.
//
// Tests   tests/kernels/rng_test.cpp
#pragma once

#include "kernels/base/view.h"

#include <cmath>
#include <cstring>

namespace bifrons::kernels {

/// Natural logarithm of a positive normal number, within 3 ulp. log(m 2^e) = e log 2 + 2 artanh((m-1)/(m+1)).
BIFRONS_HD inline float exact_log(float x)
{
    std::uint32_t bits;
    std::memcpy(&bits, &x, 4);
    const std::int32_t e = std::int32_t(bits - 0x3F3504F3u) >> 23; // m in [sqrt(1/2), sqrt(2))
    bits -= std::uint32_t(e) << 23;
    float m;
    std::memcpy(&m, &bits, 4);
    const float s = (m - 1) / (m + 1), s2 = s * s;
    float series = std::fma(s2, 1.0f / 9, 1.0f / 7);
    series = std::fma(s2, series, 1.0f / 5);
    series = std::fma(s2, series, 1.0f / 3);
    series = std::fma(s2 * series, s, s); // artanh(s)
    return std::fma(float(e), 0.693147181f, 2 * series);
}

struct SinCos {
    float sin, cos;
};

/// Sine and cosine of an angle in units of 2^-32 turns, each within 2 ulp of 1.
BIFRONS_HD inline SinCos exact_sincos(std::uint32_t angle)
{
    const std::uint32_t quadrant = (angle + 0x20000000u) >> 30;
    const float x = float(std::int32_t(angle - (quadrant << 30))) * 1.46291808e-9f; // 2 pi 2^-32; |x| <= pi/4
    const float x2 = x * x;
    float s = std::fma(x2, 1.0f / 362880, -1.0f / 5040);
    s = std::fma(x2, s, 1.0f / 120);
    s = std::fma(x2, s, -1.0f / 6);
    s = std::fma(x2 * s, x, x);
    float c = std::fma(x2, -1.0f / 3628800, 1.0f / 40320);
    c = std::fma(x2, c, -1.0f / 720);
    c = std::fma(x2, c, 1.0f / 24);
    c = std::fma(x2, c, -0.5f);
    c = std::fma(x2, c, 1.0f);
    switch (quadrant & 3) {
    case 0:
        return {s, c};
    case 1:
        return {c, -s};
    case 2:
        return {-s, -c};
    default:
        return {-c, s};
    }
}

/// The same of an angle in radians, |x| < 2^20, each within 3 ulp of 1.
BIFRONS_HD inline SinCos exact_sincos_of_radians(float x)
{
    constexpr double kTurns = 0.15915494309189535; // 1 / (2 pi)
    const double part = std::fma(double(x), kTurns, -std::floor(double(x) * kTurns));
    return exact_sincos(std::uint32_t(std::int64_t(part * 4294967296.0)));
}

} // namespace bifrons::kernels
