#include "kernels/color/gaussian_blur.h"

#include "kernels/base/parallel.h"
#include "kernels/device/dispatch.h"

#include <cmath>

namespace bifrons::kernels {

namespace {

constexpr std::int64_t kGrain = 1 << 14;

/// g(i), and the sum that it is to be divided by.
float tap(const BlurShape& s, std::int64_t i)
{
    return float(std::exp(-0.5 * double(i * i) / (double(s.sigma) * double(s.sigma))));
}

float tap_scale(const BlurShape& s)
{
    double sum = 0;
    for (int i = -s.radius(); i <= s.radius(); ++i) sum += tap(s, i);
    return float(1 / sum);
}

/// body(row) on all threads.
template <class Body>
void for_rows(const BlurShape& s, const Body& body)
{
    const std::int64_t work = s.W * s.C * (2 * s.radius() + 1);
    parallel_for(s.H, std::max<std::int64_t>(1, kGrain / work), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t h = begin; h < end; ++h) body(h);
    });
}

/// y += weight x
void add_scaled(std::int64_t n, float weight, const float* x, float* __restrict y)
{
    for (std::int64_t i = 0; i < n; ++i) y[i] += weight * x[i];
}

} // namespace

int BlurShape::radius() const
{
    return int(std::ceil(3 * double(sigma)));
}

void cpu::gaussian_blur(const BlurShape& s, const float* x, float* y, float* scratch)
{
    const std::int64_t row = s.W * s.C, radius = s.radius();
    const float scale = tap_scale(s);
    for_rows(s, [&](std::int64_t h) {
        float* out = scratch + h * row;
        std::fill_n(out, row, 0.0f);
        for (std::int64_t j = std::max(-radius, 1 - s.W); j <= std::min(radius, s.W - 1); ++j) {
            const std::int64_t first = std::max<std::int64_t>(0, -j), count = s.W - std::abs(j);
            add_scaled(count * s.C, tap(s, j) * scale, x + h * row + (first + j) * s.C, out + first * s.C);
        }
    });
    for_rows(s, [&](std::int64_t h) {
        float* out = y + h * row;
        std::fill_n(out, row, 0.0f);
        for (std::int64_t i = std::max(-radius, -h); i <= std::min(radius, s.H - 1 - h); ++i)
            add_scaled(row, tap(s, i) * scale, scratch + (h + i) * row, out);
    });
}

Cost gaussian_blur_cost(const BlurShape& s)
{
    return {.flops = 4.0 * double(s.size()) * (2 * s.radius() + 1),
            .bytes = 16.0 * double(s.size()),
            .workspace_bytes = std::size_t(s.size()) * 4};
}

void gaussian_blur(Exec ex, const BlurShape& s, ConstView x, View y)
{
    BIFRONS_CHECK(shape, s.H >= 1 && s.W >= 1 && s.C >= 1, "gaussian_blur: the picture is ", s.H, "x", s.W, "x", s.C,
                  "; at least 1x1x1 expected");
    BIFRONS_CHECK(shape, s.sigma >= 0.1f && s.sigma <= 1000, "gaussian_blur: sigma is ", s.sigma,
                  "; 0.1..1000 px expected");
    if (accounted(ex, "gaussian_blur", gaussian_blur_cost(s))) return;
    if (on_cpu(ex))
        return ex.device->enqueue(ex.stream, [=] {
            cpu::gaussian_blur(s, x.as<float>(), y.as<float>(), static_cast<float*>(ex.workspace.data));
        });
    BIFRONS_SIMT(ex, "gaussian_blur", gaussian_blur(ex, s, x, y));
}

} // namespace bifrons::kernels
