// kernels/base/clamp.h - std::min, max and clamp for code that runs on devices too.
#pragma once

#include "kernels/base/view.h"

namespace bifrons::kernels {

template <class T>
BIFRONS_HD constexpr T least(T a, T b)
{
    return b < a ? b : a;
}

template <class T>
BIFRONS_HD constexpr T largest(T a, T b)
{
    return a < b ? b : a;
}

template <class T>
BIFRONS_HD constexpr T clamp(T v, T low, T high)
{
    return v < low ? low : high < v ? high : v;
}

} // namespace bifrons::kernels
