// kernels/resample/resize_bilinear_ref.h - bilinear resizing in loops: the definition.
#pragma once

#include "kernels/resample/resize_bilinear.h"

#include <algorithm>

namespace bifrons::kernels::ref {

/// The two input positions of one output position along one axis, and the weight of the second.
template <class T>
struct LinearTap {
    std::int64_t low, high;
    T t;

    /// How much of input position i is in this output.
    BIFRONS_HD T weight(std::int64_t i) const { return (i == low ? T(1) - t : T(0)) + (i == high ? t : T(0)); }
};

/// Output position p of `out` onto `in` positions. (p + 1/2) in/out - 1/2 = ((2p+1) in - out) / (2 out), in integers.
template <class T>
BIFRONS_HD LinearTap<T> linear_tap(std::int64_t p, std::int64_t in, std::int64_t out)
{
    const std::int64_t numerator = (2 * p + 1) * in - out, low = numerator / (2 * out);
    if (numerator <= 0) return {0, 0, T(0)};
    if (low >= in - 1) return {in - 1, in - 1, T(0)};
    return {low, low + 1, T(numerator % (2 * out)) / T(2 * out)};
}

template <class T>
void resize_bilinear_fwd(const ResizeBilinearShape& s, const T* x_, T* y_)
{
    const View4<const T> x{x_, s.H, s.W, s.C};
    const View4<T> y{y_, s.P, s.Q, s.C};
    for (std::int64_t n = 0; n < s.N; ++n)
        for (std::int64_t p = 0; p < s.P; ++p)
            for (std::int64_t q = 0; q < s.Q; ++q)
                for (std::int64_t c = 0; c < s.C; ++c) {
                    const auto h = linear_tap<T>(p, s.H, s.P), w = linear_tap<T>(q, s.W, s.Q);
                    y(n, p, q, c) = (1 - h.t) * ((1 - w.t) * x(n, h.low, w.low, c) + w.t * x(n, h.low, w.high, c)) +
                                    h.t * ((1 - w.t) * x(n, h.high, w.low, c) + w.t * x(n, h.high, w.high, c));
                }
}

/// As a scatter; the cpu device gathers.
template <class T>
void resize_bilinear_grad(const ResizeBilinearShape& s, const T* dy_, T* dx_)
{
    const View4<const T> dy{dy_, s.P, s.Q, s.C};
    const View4<T> dx{dx_, s.H, s.W, s.C};
    std::fill_n(dx_, s.x_size(), T(0));
    for (std::int64_t n = 0; n < s.N; ++n)
        for (std::int64_t p = 0; p < s.P; ++p)
            for (std::int64_t q = 0; q < s.Q; ++q)
                for (std::int64_t c = 0; c < s.C; ++c) {
                    const auto h = linear_tap<T>(p, s.H, s.P), w = linear_tap<T>(q, s.W, s.Q);
                    const T v = dy(n, p, q, c);
                    dx(n, h.low, w.low, c) += (1 - h.t) * (1 - w.t) * v;
                    dx(n, h.low, w.high, c) += (1 - h.t) * w.t * v;
                    dx(n, h.high, w.low, c) += h.t * (1 - w.t) * v;
                    dx(n, h.high, w.high, c) += h.t * w.t * v;
                }
}

} // namespace bifrons::kernels::ref
