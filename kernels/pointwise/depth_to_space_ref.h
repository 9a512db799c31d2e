// kernels/pointwise/depth_to_space_ref.h - pixel shuffle in loops: the definition.
#pragma once

#include "kernels/pointwise/depth_to_space.h"

namespace bifrons::kernels::ref {

/// The element of x that is element i of y.
inline std::int64_t depth_index(const DepthToSpaceShape& s, std::int64_t i)
{
    const std::int64_t f = s.factor, c = i % s.C, q = i / s.C % (f * s.W), p = i / s.C / (f * s.W) % (f * s.H),
                       n = i / s.C / (f * s.W) / (f * s.H), block = p % f * f + q % f;
    const std::int64_t channel = s.order == ShuffleOrder::dcr ? block * s.C + c : c * f * f + block;
    return ((n * s.H + p / f) * s.W + q / f) * f * f * s.C + channel;
}

template <class T>
void depth_to_space(const DepthToSpaceShape& s, const T* x, T* y)
{
    for (std::int64_t i = 0; i < s.size(); ++i) y[i] = x[depth_index(s, i)];
}

template <class T>
void space_to_depth(const DepthToSpaceShape& s, const T* y, T* x)
{
    for (std::int64_t i = 0; i < s.size(); ++i) x[depth_index(s, i)] = y[i];
}

} // namespace bifrons::kernels::ref
