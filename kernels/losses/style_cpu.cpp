#include "kernels/losses/style.h"

#include "kernels/base/on_type.h"
#include "kernels/base/parallel.h"
#include "kernels/pointwise/epilogue_cpu.h"

#include <cmath>

namespace bifrons::kernels::cpu {

namespace {

/// mean and sqrt(variance + 1e-5) of each channel of picture n, every second place of `moments`' rows of four.
template <class T>
void sum_moments(const StyleShape& s, const T* x, std::int64_t n, T* moments)
{
    const T* picture = x + n * s.pixels * s.C;
    for (std::int64_t c = 0; c < s.C; ++c) {
        const auto at = [=](std::int64_t i) { return double(picture[i * s.C + c]); };
        const double mean = lane_sum(s.pixels, at) / double(s.pixels);
        const double squares = lane_sum(s.pixels, [=](std::int64_t i) { return (at(i) - mean) * (at(i) - mean); });
        moments[c * 4] = T(mean);
        moments[c * 4 + 1] = T(std::sqrt(squares / double(s.pixels) + 1e-5));
    }
}

template <class T>
void fwd(const StyleShape& s, const T* x, const T* t, float scale, T* loss, T* moments)
{
    parallel_for(s.N, 1, [&](std::int64_t n, std::int64_t) {
        sum_moments(s, x, n, moments + n * s.C * 4);
        sum_moments(s, t, n, moments + n * s.C * 4 + 2);
    });
    double sum = 0;
    for (const T* m = moments; m < moments + s.N * s.C * 4; m += 4) {
        const double mean = double(m[0]) - m[2], deviation = double(m[1]) - m[3];
        sum += mean * mean + deviation * deviation;
    }
    *loss = T(scale * sum / double(s.N * s.C));
}

template <class T>
void grad(const StyleShape& s, const T* x, const T* moments, float scale, const T* upstream, const Store& d)
{
    constexpr std::int64_t kRun = 1024;
    const T factor = T(double(*upstream) * 2 * scale / (double(s.N * s.C) * double(s.pixels)));
    parallel_for(s.size(), 16 * kRun, [&](std::int64_t piece, std::int64_t end) {
        T v[kRun];
        for (std::int64_t begin = piece; begin < end; begin += kRun) {
            const std::int64_t n = std::min(kRun, end - begin);
            for (std::int64_t k = 0; k < n; ++k) {
                const std::int64_t i = begin + k;
                const T* m = moments + (i / (s.pixels * s.C) * s.C + i % s.C) * 4;
                v[k] = factor * ((m[0] - m[2]) + (m[1] - m[3]) * (x[i] - m[0]) / m[1]);
            }
            store_gradient_run(d, begin, n, v);
        }
    });
}

} // namespace

void run(Exec, const StyleFwd& op)
{
    on_type<float, double>(op.x.dtype, [&]<class T>() {
        fwd(op.s, op.x.as<T>(), op.t.as<T>(), op.scale, op.loss.as<T>(), op.moments.as<T>());
    });
}

void run(Exec, const StyleGrad& op)
{
    on_type<float, double>(op.x.dtype, [&]<class T>() {
        grad(op.s, op.x.as<T>(), op.moments.as<T>(), op.scale, op.upstream.as<T>(), op.d);
    });
}

} // namespace bifrons::kernels::cpu
