#include "kernels/resample/max_pool_cpu.h"

#include "kernels/base/on_type.h"
#include "kernels/resample/windows_cpu.h"

namespace bifrons::kernels::cpu {

namespace {

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
    store_window_sums<T>(s, 1, d, [=](std::int64_t from, std::int64_t tap, std::int64_t n, Wide<T>* sum) {
        for (std::int64_t c = 0; c < n; ++c)
            sum[c] += index[from + c] == std::uint8_t(tap) ? Wide<T>(dy[from + c]) : Wide<T>(0);
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
