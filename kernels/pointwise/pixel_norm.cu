// kernels/pointwise/pixel_norm.cu - normalisation of a sample: its sums by several blocks, then a packet of elements a
// thread, every warp recomputing the sums. Limit: memory bandwidth.
#include "kernels/pointwise/pixel_norm.h"

#include "kernels/device/simt.h"
#include "kernels/device/storage.h"
#include "kernels/pointwise/store.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

/// moments [N,blocks]: block (b, n) sums the b-th share of sample n. Without dy the products are zero.
template <class T, int P>
__global__ void __launch_bounds__(kBlockSize)
    moments_kernel(std::int64_t F, std::int64_t share, const T* x, const T* dy, PixelNormMoments* moments)
{
    wait_for_previous_kernel();
    const std::int64_t sample = blockIdx.y * F, end = min(F, (blockIdx.x + 1) * share);
    double squares = 0, products = 0;
    for (std::int64_t i = blockIdx.x * share + threadIdx.x * P; i < end; i += kBlockSize * P) {
        float a[P], b[P] = {};
        load_packet(x + sample + i, a);
        if (dy) load_packet(dy + sample + i, b);
        for (int k = 0; k < P; ++k) squares += double(a[k]) * a[k], products += double(a[k]) * b[k];
    }
    squares = block_sum(squares);
    products = block_sum(products);
    if (threadIdx.x == 0) moments[blockIdx.y * gridDim.x + blockIdx.x] = {squares, products};
}

struct SampleScale {
    float r, along; // v = r (dy - along x)
};

/// From the moments of sample blockIdx.y, by a whole warp.
__device__ SampleScale sample_scale(std::int64_t F, int blocks, const PixelNormMoments* moments)
{
    const int lane = int(threadIdx.x) % 32;
    const PixelNormMoments part =
        lane < blocks ? moments[std::int64_t(blockIdx.y) * blocks + lane] : PixelNormMoments{0, 0};
    const double r = 1 / sqrt(warp_sum(part.squares) / double(F) + 1e-6);
    return {float(r), float(r * r * warp_sum(part.products) / double(F))};
}

// x may be y.
template <class T, int P>
__global__ void __launch_bounds__(kBlockSize)
    pixel_norm_kernel(std::int64_t F, int blocks, const PixelNormMoments* moments, const T* x, T* y)
{
    wait_for_previous_kernel();
    const SampleScale scale = sample_scale(F, blocks, moments);
    const std::int64_t i = global_thread() * P;
    if (i >= F) return;
    float v[P];
    load_packet(x + blockIdx.y * F + i, v);
    for (float& element : v) element *= scale.r;
    store_packet(y + blockIdx.y * F + i, v);
}

template <class T, int P>
__global__ void __launch_bounds__(kBlockSize)
    pixel_norm_grad_kernel(std::int64_t F, int blocks, const PixelNormMoments* moments, const T* dy, const T* x,
                           GradientStore<T> d)
{
    wait_for_previous_kernel();
    const SampleScale scale = sample_scale(F, blocks, moments);
    const std::int64_t i = global_thread() * P;
    if (i >= F) return;
    float v[P], at[P];
    load_packet(dy + blockIdx.y * F + i, v);
    load_packet(x + blockIdx.y * F + i, at);
    for (int k = 0; k < P; ++k) v[k] = scale.r * (v[k] - scale.along * at[k]);
    d.store(blockIdx.y * F + i, v);
}

/// Both kernels' grid: samples along y.
template <int P>
Grid grid_of_samples(const PixelNormShape& s)
{
    Grid grid = grid_of_packets<P>(s.F);
    grid.blocks.y = unsigned(s.N);
    return grid;
}

template <class T, int P>
PixelNormMoments* sum_moments(Exec ex, const char* name, const PixelNormShape& s, ConstView x, ConstView dy)
{
    auto* moments = static_cast<PixelNormMoments*>(ex.workspace.data);
    const std::int64_t blocks = pixel_norm_blocks(s), packets = (s.F / P + blocks - 1) / blocks;
    const Grid grid{.blocks = {unsigned(blocks), unsigned(s.N)}, .threads = {kBlockSize}};
    launch(name, moments_kernel<T, P>, grid, ex, s.F, packets * P, x.as<T>(), dy.as<T>(), moments);
    return moments;
}

} // namespace

void run(Exec ex, const PixelNormFwd& op)
{
    const PixelNormShape& s = op.s;
    on_storage(op.kName, op.x.dtype, [&]<class T>() {
        on_packets<T>(s.F, {op.x, op.y}, [&]<int P>() {
            const PixelNormMoments* moments = sum_moments<T, P>(ex, "pixel_norm_fwd sums", s, op.x, {});
            launch(op.kName, pixel_norm_kernel<T, P>, grid_of_samples<P>(s), ex, s.F, pixel_norm_blocks(s), moments,
                   op.x.as<T>(), op.y.as<T>());
        });
    });
}

void run(Exec ex, const PixelNormGrad& op)
{
    const PixelNormShape& s = op.s;
    on_storage(op.kName, op.dy.dtype, [&]<class T>() {
        on_packets<T>(s.F, {op.dy, op.x, op.d.out, op.d.add, op.d.saved}, [&]<int P>() {
            const PixelNormMoments* moments = sum_moments<T, P>(ex, "pixel_norm_grad sums", s, op.x, op.dy);
            launch(op.kName, pixel_norm_grad_kernel<T, P>, grid_of_samples<P>(s), ex, s.F, pixel_norm_blocks(s),
                   moments, op.dy.as<T>(), op.x.as<T>(), GradientStore<T>(op.d));
        });
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
