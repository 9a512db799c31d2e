#include "kernels/resample/max_pool_cpu.h"

#include "kernels/base/host_storage.h"
#include "kernels/base/on_type.h"
#include "kernels/base/parallel.h"
#include "kernels/pointwise/epilogue_cpu.h"
#include "kernels/resample/windows.h"

namespace bifrons::kernels::cpu {

namespace {

constexpr std::int64_t kBlock = 64; // channels whose sums are kept on the stack

/// One output pixel: all channels of the first tap, then the others compared with it. rows x columns of the window lie
/// in the picture.
template <class T>
void max_of_window(const MaxPoolShape& s, std::int64_t rows, std::int64_t columns, const T* corner, T* y,
                   std::uint8_t* index)
{
    std::copy_n(corner, s.C, y);
    std::fill_n(index, s.C, std::uint8_t(0));
    for (std::int64_t tap = 1; tap < rows * columns; ++tap) {
        const std::int64_t r = tap / columns, column = tap % columns, i = r * s.window + column;
        const T* x = corner + (r * s.W + column) * s.C;
        for (std::int64_t c = 0; c < s.C; ++c) {
            const auto here = Wide<T>(x[c]), most = Wide<T>(y[c]);
            const bool larger = here > most || (here != here && most == most);
            y[c] = larger ? x[c] : y[c];
            index[c] = larger ? std::uint8_t(i) : index[c];
        }
    }
}

template <class T>
void fwd(const MaxPoolShape& s, const T* x, T* y, std::uint8_t* index)
{
    const std::int64_t P = s.P(), Q = s.Q();
    parallel_for(s.N * P, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            const std::int64_t h = row % P * s.stride;
            const T* from = x + (row / P * s.H + h) * s.W * s.C;
            for (std::int64_t q = 0; q < Q; ++q) {
                const std::int64_t w = q * s.stride, to = (row * Q + q) * s.C;
                max_of_window(s, s.reach(h, s.H), s.reach(w, s.W), from + w * s.C, y + to, index + to);
            }
        }
    });
}

template <class T>
void grad(const MaxPoolShape& s, const T* dy, const std::uint8_t* index, const Store& d)
{
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
                    for (std::int64_t q = cols.first; q < cols.end; ++q) {
                        const auto here = std::uint8_t((h - p * s.stride) * s.window + w - q * s.stride);
                        const std::int64_t from = ((n * P + p) * Q + q) * s.C + c0;
                        for (std::int64_t c = 0; c < block; ++c)
                            sum[c] += index[from + c] == here ? Wide<T>(dy[from + c]) : Wide<T>(0);
                    }
                store_gradient_run(d, pixel * s.C + c0, block, sum);
            }
        }
    });
}

} // namespace

void max_pool_fwd(const MaxPoolShape& s, ConstView x, View y, View index)
{
    on_type<float, bf16, double>(x.dtype, [&]<class T>() { fwd(s, x.as<T>(), y.as<T>(), index.as<std::uint8_t>()); });
}

void max_pool_grad(const MaxPoolShape& s, ConstView dy, ConstView index, const Store& d)
{
    on_type<float, bf16, double>(dy.dtype, [&]<class T>() { grad(s, dy.as<T>(), index.as<std::uint8_t>(), d); });
}

} // namespace bifrons::kernels::cpu
