// kernels/resample/upsample_nearest_ref.h - repetition of pixels in loops: the definition.
#pragma once

#include "kernels/resample/upsample_nearest.h"

#include <algorithm>

namespace bifrons::kernels::ref {

/// Where element i of y comes from.
inline std::int64_t repeated_index(const UpsampleNearestShape& s, std::int64_t i)
{
    const std::int64_t f = s.factor, c = i % s.C, q = i / s.C % (f * s.W), p = i / s.C / (f * s.W) % (f * s.H),
                       n = i / s.C / (f * s.W) / (f * s.H);
    return ((n * s.H + p / f) * s.W + q / f) * s.C + c;
}

template <class T>
void upsample_nearest_fwd(const UpsampleNearestShape& s, const T* x, T* y)
{
    for (std::int64_t i = 0; i < s.y_size(); ++i) y[i] = x[repeated_index(s, i)];
}

template <class T>
void upsample_nearest_grad(const UpsampleNearestShape& s, const T* dy, T* dx)
{
    std::fill_n(dx, s.x_size(), T(0));
    for (std::int64_t i = 0; i < s.y_size(); ++i) dx[repeated_index(s, i)] += dy[i];
}

} // namespace bifrons::kernels::ref
