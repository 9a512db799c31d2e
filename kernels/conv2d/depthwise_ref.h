// kernels/conv2d/depthwise_ref.h - the convolution of each channel in loops: the definition. T = double is the oracle.
#pragma once

#include "kernels/conv2d/depthwise.h"

namespace bifrons::kernels::ref {

template <class T>
void depthwise(const DepthwiseShape& s, const T* x_, const T* w_, const T* bias, T* y_)
{
    const View4<const T> x{x_, s.H, s.W, s.C}, w{w_, s.window, s.window, s.C};
    const View4<T> y{y_, s.P(), s.Q(), s.C};
    for (std::int64_t n = 0; n < s.N; ++n)
        for (std::int64_t p = 0; p < s.P(); ++p)
            for (std::int64_t q = 0; q < s.Q(); ++q)
                for (std::int64_t c = 0; c < s.C; ++c) {
                    T sum = bias ? bias[c] : T(0);
                    for (std::int64_t r = 0; r < s.window; ++r)
                        for (std::int64_t i = 0; i < s.window; ++i) {
                            const std::int64_t h = p * s.stride + r - s.before(s.H),
                                               v = q * s.stride + i - s.before(s.W);
                            if (h >= 0 && h < s.H && v >= 0 && v < s.W) sum += x(n, h, v, c) * w(0, r, i, c);
                        }
                    y(n, p, q, c) = sum;
                }
}

} // namespace bifrons::kernels::ref
