// kernels/conv2d/conv2d_ref.h - the convolution in loops: the definition. T = double is the oracle, and the f64 path of
// the cpu device, which computes the same elements in parallel.
#pragma once

#include "kernels/conv2d/conv2d.h"

namespace bifrons::kernels::ref {

/// Element i of y [N,P,Q,K].
template <class T>
T conv2d_fwd_at(const Conv2dShape& s, const T* x_, const T* w_, std::int64_t i)
{
    const View4<const T> x{x_, s.H, s.W, s.C}, w{w_, s.R, s.S, s.C};
    const std::int64_t k = i % s.K, q = i / s.K % s.Q(), p = i / s.K / s.Q() % s.P(), n = i / s.K / s.Q() / s.P();
    T sum = 0;
    for (std::int64_t r = 0; r < s.R; ++r)
        for (std::int64_t t = 0; t < s.S; ++t) {
            const std::int64_t h = p * s.stride + r - s.pad, v = q * s.stride + t - s.pad;
            if (h < 0 || h >= s.H || v < 0 || v >= s.W) continue;
            for (std::int64_t c = 0; c < s.C; ++c) sum += x(n, h, v, c) * w(k, r, t, c);
        }
    return sum;
}

/// Element i of dx [N,H,W,C]: every y that has read it gives its gradient back.
template <class T>
T conv2d_dgrad_at(const Conv2dShape& s, const T* dy_, const T* w_, std::int64_t i)
{
    const View4<const T> dy{dy_, s.P(), s.Q(), s.K}, w{w_, s.R, s.S, s.C};
    const std::int64_t c = i % s.C, v = i / s.C % s.W, h = i / s.C / s.W % s.H, n = i / s.C / s.W / s.H;
    T sum = 0;
    for (std::int64_t r = 0; r < s.R; ++r)
        for (std::int64_t t = 0; t < s.S; ++t) {
            const std::int64_t hp = h + s.pad - r, vp = v + s.pad - t; // p*stride and q*stride
            if (hp < 0 || vp < 0 || hp % s.stride || vp % s.stride) continue;
            const std::int64_t p = hp / s.stride, q = vp / s.stride;
            if (p >= s.P() || q >= s.Q()) continue;
            for (std::int64_t k = 0; k < s.K; ++k) sum += dy(n, p, q, k) * w(k, r, t, c);
        }
    return sum;
}

/// Element i of dw [K,R,S,C].
template <class T>
T conv2d_wgrad_at(const Conv2dShape& s, const T* dy_, const T* x_, std::int64_t i)
{
    const View4<const T> dy{dy_, s.P(), s.Q(), s.K}, x{x_, s.H, s.W, s.C};
    const std::int64_t c = i % s.C, t = i / s.C % s.S, r = i / s.C / s.S % s.R, k = i / s.C / s.S / s.R;
    T sum = 0;
    for (std::int64_t n = 0; n < s.N; ++n)
        for (std::int64_t p = 0; p < s.P(); ++p)
            for (std::int64_t q = 0; q < s.Q(); ++q) {
                const std::int64_t h = p * s.stride + r - s.pad, v = q * s.stride + t - s.pad;
                if (h < 0 || h >= s.H || v < 0 || v >= s.W) continue;
                sum += dy(n, p, q, k) * x(n, h, v, c);
            }
    return sum;
}

template <class T>
void conv2d_fwd(const Conv2dShape& s, const T* x, const T* w, T* y)
{
    for (std::int64_t i = 0; i < s.y_size(); ++i) y[i] = conv2d_fwd_at(s, x, w, i);
}

template <class T>
void conv2d_dgrad(const Conv2dShape& s, const T* dy, const T* w, T* dx)
{
    for (std::int64_t i = 0; i < s.x_size(); ++i) dx[i] = conv2d_dgrad_at(s, dy, w, i);
}

template <class T>
void conv2d_wgrad(const Conv2dShape& s, const T* dy, const T* x, T* dw)
{
    for (std::int64_t i = 0; i < s.w_size(); ++i) dw[i] = conv2d_wgrad_at(s, dy, x, i);
}

} // namespace bifrons::kernels::ref
