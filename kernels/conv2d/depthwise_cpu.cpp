#include "kernels/conv2d/depthwise.h"

#include "kernels/base/clones.h"
#include "kernels/base/on_type.h"
#include "kernels/base/parallel.h"

#include <algorithm>

namespace bifrons::kernels::cpu {

namespace {

/// The taps of a window that lie in the picture.
struct Reach {
    std::int64_t r0, r1, s0, s1;
    bool operator==(const Reach&) const = default;
};

/// N channels of one pixel, whose sums stay in registers. from, w: the window's first tap.
template <int N, class T>
__attribute__((always_inline)) inline void channels(const DepthwiseShape& s, const Reach& reach, const T* from,
                                                    const T* w, const T* bias, T* y)
{
    T sum[N];
    for (int c = 0; c < N; ++c) sum[c] = bias ? bias[c] : T(0);
    for (std::int64_t r = reach.r0; r < reach.r1; ++r)
        for (std::int64_t i = reach.s0; i < reach.s1; ++i) {
            const T *const a = from + (r * s.W + i) * s.C, *const b = w + (r * s.window + i) * s.C;
            for (int c = 0; c < N; ++c) sum[c] += a[c] * b[c];
        }
    for (int c = 0; c < N; ++c) y[c] = sum[c];
}

/// All channels of one pixel.
template <class T>
__attribute__((always_inline)) inline void pixel(const DepthwiseShape& s, const Reach& reach, const T* from, const T* w,
                                                 const T* bias, T* y)
{
    constexpr int kLanes = 16;
    std::int64_t c = 0;
    for (; c + kLanes <= s.C; c += kLanes)
        channels<kLanes>(s, reach, from + c, w + c, bias ? bias + c : nullptr, y + c);
    for (; c < s.C; ++c) channels<1>(s, reach, from + c, w + c, bias ? bias + c : nullptr, y + c);
}

/// Rows [begin, end) of N * P.
template <class T>
__attribute__((always_inline)) inline void rows(const DepthwiseShape& s, std::int64_t begin, std::int64_t end,
                                                const T* x, const T* w, const T* bias, T* y)
{
    constexpr Reach kWhole = {0, 3, 0, 3}; // of most windows: known here, its loops are unrolled
    const std::int64_t P = s.P(), Q = s.Q(), before_h = s.before(s.H), before_w = s.before(s.W);
    for (std::int64_t i = begin * Q; i < end * Q; ++i) {
        const std::int64_t top = i / Q % P * s.stride - before_h, left = i % Q * s.stride - before_w;
        const Reach reach = {std::max<std::int64_t>(0, -top), std::min(s.window, s.H - top),
                             std::max<std::int64_t>(0, -left), std::min(s.window, s.W - left)};
        const std::int64_t first = ((i / Q / P * s.H + top) * s.W + left) * s.C;
        if (s.window == 3 && reach == kWhole)
            pixel(s, kWhole, x + first, w, bias, y + i * s.C);
        else
            pixel(s, reach, x + first, w, bias, y + i * s.C);
    }
}

BIFRONS_CLONES void run_pixels(const DepthwiseShape& s, std::int64_t begin, std::int64_t end, const float* x,
                               const float* w, const float* bias, float* y)
{
    rows(s, begin, end, x, w, bias, y);
}

BIFRONS_CLONES void run_pixels(const DepthwiseShape& s, std::int64_t begin, std::int64_t end, const double* x,
                               const double* w, const double* bias, double* y)
{
    rows(s, begin, end, x, w, bias, y);
}

} // namespace

void run(Exec, const Depthwise& op)
{
    const DepthwiseShape& s = op.s;
    on_type<float, double>(op.x.dtype, [&]<class T>() {
        parallel_for(s.N * s.P(), 1, [&](std::int64_t begin, std::int64_t end) {
            run_pixels(s, begin, end, op.x.as<T>(), op.w.as<T>(), op.bias.as<T>(), op.y.as<T>());
        });
    });
}

} // namespace bifrons::kernels::cpu
