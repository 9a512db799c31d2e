// kernels/resample/windows_cpu.h - the backward pass of a pooling on the cpu device: each pixel gathers from the
// windows that hold it.
#pragma once

#include "kernels/base/host_storage.h"
#include "kernels/base/parallel.h"
#include "kernels/pointwise/epilogue_cpu.h"
#include "kernels/resample/windows.h"

#include <algorithm>

namespace bifrons::kernels::cpu {

/// Stores scale times a sum over windows, as d says. add(from, tap, n, sum) adds what a window gives to n channels of a
/// pixel: `from` is the place of the first in [N,P,Q,C], `tap` the pixel's place in the window.
template <class T, class Shape, class Add>
void store_window_sums(const Shape& s, Wide<T> scale, const Store& d, const Add& add)
{
    constexpr std::int64_t kBlock = 64; // channels whose sums are kept on the stack
    const std::int64_t P = s.P(), Q = s.Q();
    parallel_for(s.N * s.H, 1, [&](std::int64_t begin, std::int64_t end) {
        Wide<T> sum[kBlock];
        for (std::int64_t pixel = begin * s.W; pixel < end * s.W; ++pixel) {
            const std::int64_t w = pixel % s.W, h = pixel / s.W % s.H, n = pixel / s.W / s.H;
            const Windows rows = windows_over(h, s.window, s.stride, P), cols = windows_over(w, s.window, s.stride, Q);
            for (std::int64_t c0 = 0; c0 < s.C; c0 += kBlock) {
                const std::int64_t block = std::min(kBlock, s.C - c0);
                std::fill_n(sum, block, Wide<T>(0));
                for (std::int64_t p = rows.first; p < rows.end; ++p)
                    for (std::int64_t q = cols.first; q < cols.end; ++q)
                        add(((n * P + p) * Q + q) * s.C + c0, (h - p * s.stride) * s.window + w - q * s.stride, block,
                            sum);
                for (std::int64_t c = 0; c < block; ++c) sum[c] *= scale;
                store_gradient_run(d, pixel * s.C + c0, block, sum);
            }
        }
    });
}

} // namespace bifrons::kernels::cpu
