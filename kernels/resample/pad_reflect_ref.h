// kernels/resample/pad_reflect_ref.h - the mirrored rim in loops: the definition.
#pragma once

#include "kernels/resample/pad_reflect.h"

#include <algorithm>

namespace bifrons::kernels::ref {

/// Where element i of y comes from.
inline std::int64_t reflected_index(const PadReflectShape& s, std::int64_t i)
{
    const auto mirror = [](std::int64_t at, std::int64_t L) { return at < 0 ? -at : at >= L ? 2 * (L - 1) - at : at; };
    const std::int64_t c = i % s.C, q = i / s.C % s.Q(), p = i / s.C / s.Q() % s.P(), n = i / s.C / s.Q() / s.P();
    return ((n * s.H + mirror(p - s.pad, s.H)) * s.W + mirror(q - s.pad, s.W)) * s.C + c;
}

template <class T>
void pad_reflect_fwd(const PadReflectShape& s, const T* x, T* y)
{
    for (std::int64_t i = 0; i < s.y_size(); ++i) y[i] = x[reflected_index(s, i)];
}

/// As a scatter; the devices gather.
template <class T>
void pad_reflect_grad(const PadReflectShape& s, const T* dy, T* dx)
{
    std::fill_n(dx, s.x_size(), T(0));
    for (std::int64_t i = 0; i < s.y_size(); ++i) dx[reflected_index(s, i)] += dy[i];
}

} // namespace bifrons::kernels::ref
