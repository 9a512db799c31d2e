// kernels/resample/max_pool_ref.h - max pooling in loops: the definition.
#pragma once

#include "kernels/resample/max_pool.h"

#include <algorithm>

namespace bifrons::kernels::ref {

template <class T>
void max_pool_fwd(const MaxPoolShape& s, const T* x_, T* y_, std::uint8_t* index_)
{
    const View4<const T> x{x_, s.H, s.W, s.C};
    const View4<T> y{y_, s.P(), s.Q(), s.C};
    const View4<std::uint8_t> index{index_, s.P(), s.Q(), s.C};
    for (std::int64_t n = 0; n < s.N; ++n)
        for (std::int64_t p = 0; p < s.P(); ++p)
            for (std::int64_t q = 0; q < s.Q(); ++q)
                for (std::int64_t c = 0; c < s.C; ++c) {
                    std::int64_t best = 0;
                    T max = x(n, p * s.stride, q * s.stride, c);
                    for (std::int64_t i = 1; i < s.window * s.window; ++i) {
                        if (p * s.stride + i / s.window >= s.H || q * s.stride + i % s.window >= s.W) continue;
                        const T v = x(n, p * s.stride + i / s.window, q * s.stride + i % s.window, c);
                        if (v > max || (v != v && max == max)) max = v, best = i;
                    }
                    y(n, p, q, c) = max;
                    index(n, p, q, c) = std::uint8_t(best);
                }
}

/// As a scatter; the devices gather.
template <class T>
void max_pool_grad(const MaxPoolShape& s, const T* dy_, const std::uint8_t* index_, T* dx_)
{
    const View4<const T> dy{dy_, s.P(), s.Q(), s.C};
    const View4<const std::uint8_t> index{index_, s.P(), s.Q(), s.C};
    const View4<T> dx{dx_, s.H, s.W, s.C};
    std::fill_n(dx_, s.x_size(), T(0));
    for (std::int64_t n = 0; n < s.N; ++n)
        for (std::int64_t p = 0; p < s.P(); ++p)
            for (std::int64_t q = 0; q < s.Q(); ++q)
                for (std::int64_t c = 0; c < s.C; ++c) {
                    const std::int64_t i = index(n, p, q, c);
                    dx(n, p * s.stride + i / s.window, q * s.stride + i % s.window, c) += dy(n, p, q, c);
                }
}

} // namespace bifrons::kernels::ref
