// kernels/resample/avg_pool_ref.h - mean pooling in loops: the definition.
#pragma once

#include "kernels/resample/avg_pool.h"

#include <algorithm>

namespace bifrons::kernels::ref {

/// visit(from, to) for each element `from` of x that counts for element `to` of y.
template <class Visit>
void each_pooled_pair(const AvgPoolShape& s, const Visit& visit)
{
    for (std::int64_t n = 0; n < s.N; ++n)
        for (std::int64_t p = 0; p < s.P(); ++p)
            for (std::int64_t q = 0; q < s.Q(); ++q)
                for (std::int64_t i = 0; i < s.window * s.window; ++i)
                    for (std::int64_t c = 0; c < s.C; ++c) {
                        const std::int64_t h = p * s.stride + i / s.window, w = q * s.stride + i % s.window;
                        visit(((n * s.H + h) * s.W + w) * s.C + c, ((n * s.P() + p) * s.Q() + q) * s.C + c);
                    }
}

template <class T>
void avg_pool_fwd(const AvgPoolShape& s, const T* x, T* y)
{
    std::fill_n(y, s.y_size(), T(0));
    each_pooled_pair(s, [&](std::int64_t from, std::int64_t to) { y[to] += x[from] / T(s.window * s.window); });
}

/// As a scatter; the devices gather.
template <class T>
void avg_pool_grad(const AvgPoolShape& s, const T* dy, T* dx)
{
    std::fill_n(dx, s.x_size(), T(0));
    each_pooled_pair(s, [&](std::int64_t from, std::int64_t to) { dx[from] += dy[to] / T(s.window * s.window); });
}

} // namespace bifrons::kernels::ref
