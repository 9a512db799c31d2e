#include "kernels/resample/max_pool.h"

#include "kernels/base/clones.h"
#include "kernels/base/on_type.h"
#include "kernels/resample/windows_cpu.h"

namespace bifrons::kernels::cpu {

namespace {

constexpr std::int64_t kBlock = 64; // channels whose maxima are kept on the stack, where nothing else may write

/// n channels of one output pixel: the first tap, then the others compared with it. rows x columns of the window lie in
/// the picture.
template <class T>
__attribute__((always_inline)) inline void max_of_block(const MaxPoolShape& s, std::int64_t rows, std::int64_t columns,
                                                        std::int64_t n, const T* corner, T* y, std::uint8_t* index)
{
    T best[kBlock];
    std::int32_t from[kBlock];
    for (std::int64_t c = 0; c < n; ++c) best[c] = corner[c], from[c] = 0;
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t column = 0; column < columns; ++column) { // the first once more: it is not larger than itself
            const auto i = std::int32_t(r * s.window + column);
            const T* const x = corner + (r * s.W + column) * s.C;
            for (std::int64_t c = 0; c < n; ++c) {
                const auto here = Wide<T>(x[c]), most = Wide<T>(best[c]);
                const bool larger = !(here <= most) & (most == most); // a NaN is larger than all numbers
                best[c] = larger ? x[c] : best[c];
                from[c] = larger ? i : from[c];
            }
        }
    for (std::int64_t c = 0; c < n; ++c) y[c] = best[c], index[c] = std::uint8_t(from[c]);
}

/// One row of windows, `rows` rows of which lie in the picture.
template <class T>
__attribute__((always_inline)) inline void max_of_windows(const MaxPoolShape& s, std::int64_t rows, const T* x, T* y,
                                                          std::uint8_t* index)
{
    for (std::int64_t q = 0; q < s.Q(); ++q) {
        const std::int64_t w = q * s.stride, columns = s.reach(w, s.W);
        for (std::int64_t c = 0; c < s.C; c += kBlock) {
            const std::int64_t to = q * s.C + c;
            max_of_block(s, rows, columns, std::min(kBlock, s.C - c), x + w * s.C + c, y + to, index + to);
        }
    }
}

template <class T>
void run_rows(const MaxPoolShape& s, std::int64_t rows, const T* x, T* y, std::uint8_t* index)
{
    max_of_windows(s, rows, x, y, index);
}

BIFRONS_CLONES void run_rows(const MaxPoolShape& s, std::int64_t rows, const float* x, float* y, std::uint8_t* index)
{
    max_of_windows(s, rows, x, y, index);
}

template <class T>
void fwd(const MaxPoolShape& s, const T* x, T* y, std::uint8_t* index)
{
    const std::int64_t P = s.P(), size = s.Q() * s.C;
    parallel_for(s.N * P, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            const std::int64_t h = row % P * s.stride;
            run_rows(s, s.reach(h, s.H), x + (row / P * s.H + h) * s.W * s.C, y + row * size, index + row * size);
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

void run(Exec, const MaxPoolFwd& op)
{
    on_type<float, bf16, double>(
        op.x.dtype, [&]<class T>() { fwd(op.s, op.x.as<T>(), op.y.as<T>(), op.index.as<std::uint8_t>()); });
}

void run(Exec, const MaxPoolGrad& op)
{
    on_type<float, bf16, double>(op.dy.dtype,
                                 [&]<class T>() { grad(op.s, op.dy.as<T>(), op.index.as<std::uint8_t>(), op.d); });
}

} // namespace bifrons::kernels::cpu
