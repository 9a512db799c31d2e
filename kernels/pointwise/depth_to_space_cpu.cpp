#include "kernels/pointwise/depth_to_space.h"

#include "kernels/base/on_type.h"
#include "kernels/base/parallel.h"
#include "kernels/pointwise/epilogue_cpu.h"

namespace bifrons::kernels::cpu {

namespace {

constexpr std::int64_t kBlock = 64; // channels gathered on the stack

/// Where channel k of a pixel of x is in y, counted from the first pixel of its block there.
std::int64_t place(const DepthToSpaceShape& s, std::int64_t k)
{
    const std::int64_t f = s.factor;
    const bool dcr = s.order == ShuffleOrder::dcr;
    const std::int64_t c = dcr ? k % s.C : k / (f * f), block = dcr ? k / s.C : k % (f * f);
    return (block / f * f * s.W + block % f) * s.C + c;
}

/// body(pixel, corner) for each pixel of x, its block of y beginning at element `corner`.
template <class Body>
void for_pixels(const DepthToSpaceShape& s, const Body& body)
{
    parallel_for(s.N * s.H, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t pixel = begin * s.W; pixel < end * s.W; ++pixel)
            body(pixel, (pixel / s.W * s.factor * s.W + pixel % s.W) * s.factor * s.C);
    });
}

template <class T>
void fwd(const DepthToSpaceShape& s, const T* x, T* y)
{
    const std::int64_t depth = s.factor * s.factor * s.C;
    for_pixels(s, [&](std::int64_t pixel, std::int64_t corner) {
        for (std::int64_t k = 0; k < depth; ++k) y[corner + place(s, k)] = x[pixel * depth + k];
    });
}

template <class T>
void inverse(const DepthToSpaceShape& s, const T* y, const Store& d)
{
    const std::int64_t depth = s.factor * s.factor * s.C;
    for_pixels(s, [&](std::int64_t pixel, std::int64_t corner) {
        T v[kBlock];
        for (std::int64_t first = 0; first < depth; first += kBlock) {
            const std::int64_t n = std::min(kBlock, depth - first);
            for (std::int64_t k = 0; k < n; ++k) v[k] = y[corner + place(s, first + k)];
            store_gradient_run(d, pixel * depth + first, n, v);
        }
    });
}

} // namespace

void run(Exec, const DepthToSpace& op)
{
    on_type<float, bf16, double>(op.x.dtype, [&]<class T>() { fwd(op.s, op.x.as<T>(), op.y.as<T>()); });
}

void run(Exec, const SpaceToDepth& op)
{
    on_type<float, bf16, double>(op.y.dtype, [&]<class T>() { inverse(op.s, op.y.as<T>(), op.d); });
}

} // namespace bifrons::kernels::cpu
