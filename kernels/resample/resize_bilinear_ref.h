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
/// Divisions are made in 32 bits: GPUs have no others, and call functions for them.
template <class T>
BIFRONS_HD LinearTap<T> linear_tap(std::int64_t p, std::int64_t in, std::int64_t out)
{
    const std::int64_t numerator = (2 * p + 1) * in - out;
    if (numerator <= 0) return {0, 0, T(0)};
    const std::uint32_t unit = std::uint32_t(2 * out), low = std::uint32_t(numerator) / unit;
    if (low >= in - 1) return {in - 1, in - 1, T(0)};
    return {low, low + 1, T(std::uint32_t(numerator) % unit) / T(unit)};
}

/// The outputs along one axis whose two inputs can include h: first <= p < end.
struct Outputs {
    std::int64_t first, end;
};

/// Those with h-1 < position(p) < h+1, that is ((2h-1) out - in) / (2 in) < p < ((2h+3) out - in) / (2 in); at the
/// borders also all whose position was moved inside.
BIFRONS_HD inline Outputs outputs_of(std::int64_t h, std::int64_t in, std::int64_t out)
{
    const auto above = [=](std::int64_t numerator) { // the first integer >= numerator / (2 in), numerator > -2 in
        const std::uint32_t unit = std::uint32_t(2 * in);
        return numerator <= 0 ? 0 : std::int64_t((std::uint32_t(numerator) + unit - 1) / unit);
    };
    const std::int64_t end = above((2 * h + 3) * out - in);
    return {h == 0 ? 0 : above((2 * h - 1) * out - in), h == in - 1 || end > out ? out : end};
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

/// As a scatter; the devices gather.
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
