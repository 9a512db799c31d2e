#include "kernels/color/gaussian_blur.h"

#include "kernels/base/clones.h"
#include "kernels/base/on_type.h"
#include "kernels/base/parallel.h"

#include <cmath>

namespace bifrons::kernels {

namespace {

constexpr std::int64_t kGrain = 1 << 14;

constexpr int kMostRadius = 3 << 12; // of pictures of 2^16 rows whose colours sot matches

/// g(0 .. radius), divided by the sum of them all.
template <class T>
struct Taps {
    T of[kMostRadius + 1];

    explicit Taps(const BlurShape& s)
    {
        const int radius = s.radius();
        BIFRONS_CHECK(bug, radius <= kMostRadius, "gaussian_blur: reaches ", radius, " px; at most ", kMostRadius);
        double sum = 0;
        for (int i = 0; i <= radius; ++i)
            of[i] = T(std::exp(-0.5 * double(i) * double(i) / (double(s.sigma) * double(s.sigma))));
        for (int i = -radius; i <= radius; ++i) sum += of[std::abs(i)];
        for (int i = 0; i <= radius; ++i) of[i] *= T(1 / sum);
    }
    T operator[](std::int64_t i) const { return of[std::abs(i)]; }
};

/// body(row) for all rows of all pictures, on all threads.
template <class Body>
void for_rows(const BlurShape& s, const Body& body)
{
    const std::int64_t work = s.W * s.C * (2 * s.radius() + 1);
    parallel_for(s.N * s.H, std::max<std::int64_t>(1, kGrain / work), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t h = begin; h < end; ++h) body(h);
    });
}

/// y += weight x
BIFRONS_CLONES void add_scaled(std::int64_t n, float weight, const float* x, float* __restrict y)
{
    for (std::int64_t i = 0; i < n; ++i) y[i] += weight * x[i];
}
BIFRONS_CLONES void add_scaled(std::int64_t n, double weight, const double* x, double* __restrict y)
{
    for (std::int64_t i = 0; i < n; ++i) y[i] += weight * x[i];
}

} // namespace

int BlurShape::radius() const
{
    return reach > 0 ? reach : int(std::ceil(3 * double(sigma)));
}

template <class T>
void cpu::gaussian_blur(const BlurShape& s, const T* x, T* y, T* scratch)
{
    const std::int64_t row = s.W * s.C, radius = s.radius();
    const Taps<T> taps(s);
    for_rows(s, [&](std::int64_t h) {
        T* out = scratch + h * row;
        std::fill_n(out, row, T(0));
        for (std::int64_t j = std::max(-radius, 1 - s.W); j <= std::min(radius, s.W - 1); ++j) {
            const std::int64_t first = std::max<std::int64_t>(0, -j), count = s.W - std::abs(j);
            add_scaled(count * s.C, taps[j], x + h * row + (first + j) * s.C, out + first * s.C);
        }
    });
    for_rows(s, [&](std::int64_t line) {
        T* out = y + line * row;
        std::fill_n(out, row, T(0));
        const std::int64_t h = line % s.H;
        for (std::int64_t i = std::max(-radius, -h); i <= std::min(radius, s.H - 1 - h); ++i)
            add_scaled(row, taps[i], scratch + (line + i) * row, out);
    });
}

template void cpu::gaussian_blur(const BlurShape& s, const float* x, float* y, float* scratch);
template void cpu::gaussian_blur(const BlurShape& s, const double* x, double* y, double* scratch);

void GaussianBlur::check(Target) const
{
    BIFRONS_CHECK(shape, s.N >= 1 && s.H >= 1 && s.W >= 1 && s.C >= 1, "gaussian_blur: ", s.N, " pictures of ", s.H,
                  "x", s.W, "x", s.C, "; expected at least one of at least 1x1x1");
    BIFRONS_CHECK(shape, s.radius() <= 3000, "gaussian_blur: reaches ", s.radius(), " px; expected at most 3000");
    BIFRONS_CHECK(shape, x.dtype == y.dtype, "gaussian_blur: x is ", dtype_name(x.dtype), ", y ", dtype_name(y.dtype),
                  "; expected the same type");
    BIFRONS_CHECK(shape, s.sigma >= 0.1f && s.sigma <= 1000, "gaussian_blur: sigma is ", s.sigma,
                  "; expected 0.1..1000 px");
}

Cost GaussianBlur::cost(Target) const
{
    const std::size_t element = dtype_bytes(x.dtype);
    return {.flops = 4.0 * double(s.size()) * (2 * s.radius() + 1),
            .bytes = 4.0 * double(s.size()) * double(element),
            .workspace_bytes = std::size_t(s.size()) * element};
}

void cpu::run(Exec ex, const GaussianBlur& op)
{
    on_type<float, double>(op.x.dtype, [&]<class T>() {
        cpu::gaussian_blur(op.s, op.x.as<T>(), op.y.as<T>(), static_cast<T*>(ex.workspace.data));
    });
}

} // namespace bifrons::kernels
