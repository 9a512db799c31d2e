// kernels/losses/lpips.cu - the distance of features and its gradient. A warp a row: the lanes share its channels,
// which are read again from the cache once its length is known. Limit: memory bandwidth.
#include "kernels/losses/lpips.h"

#include "kernels/device/simt.h"
#include "kernels/device/storage.h"
#include "kernels/losses/store_mean.cuh"
#include "kernels/pointwise/store.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

constexpr int kWarps = int(kBlockSize) / 32, kRowsOfWarp = 4;

/// Two rows of features being compared by a warp.
template <class T>
struct Rows {
    const T *a, *b;
    const float* w;
    float of_a, of_b; // 1 / length

    __device__ Rows(const T* of_first, const T* of_second, const float* weights, int C, int lane)
        : a(of_first), b(of_second), w(weights)
    {
        float squares_a = 0, squares_b = 0;
#pragma unroll 2
        for (int c = lane; c < C; c += 32) {
            const float va = to_f32(a[c]), vb = to_f32(b[c]);
            squares_a += va * va;
            squares_b += vb * vb;
        }
        of_a = 1.0f / sqrtf(warp_sum(squares_a) + float(kLpipsEps));
        of_b = 1.0f / sqrtf(warp_sum(squares_b) + float(kLpipsEps));
    }
    __device__ float unit(int c) const
    {
        return to_f32(a[c]) * of_a;
    }
    __device__ float difference(int c) const
    {
        return unit(c) - to_f32(b[c]) * of_b;
    }
    __device__ float weight(int c) const
    {
        return w ? w[c] : 1.0f;
    }
};

template <class T>
__global__ void __launch_bounds__(kBlockSize)
    lpips_kernel(LpipsShape s, const T* a, const T* b, const float* w, double* partial)
{
    wait_for_previous_kernel();
    const int lane = int(threadIdx.x) % 32;
    const std::int64_t warps = std::int64_t(gridDim.x) * kWarps;
    double sum = 0;
    for (std::int64_t row = global_thread() / 32; row < s.rows; row += warps) {
        const Rows<T> rows(a + row * s.C, b + row * s.C, w, int(s.C), lane);
        float of_lane = 0;
#pragma unroll 1 // unrolled, it spills on some architectures
        for (int c = lane; c < int(s.C); c += 32) {
            const float d = rows.difference(c);
            of_lane += rows.weight(c) * d * d;
        }
        sum += of_lane;
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

template <class T>
__global__ void __launch_bounds__(kBlockSize) lpips_grad_kernel(LpipsShape s, const T* a, const T* b, const float* w,
                                                                float factor, const float* upstream, GradientStore<T> d)
{
    wait_for_previous_kernel();
    const int lane = int(threadIdx.x) % 32;
    const std::int64_t row = global_thread() / 32;
    if (row >= s.rows) return; // all of a warp
    const Rows<T> rows(a + row * s.C, b + row * s.C, w, int(s.C), lane);
    float along = 0;
    for (int c = lane; c < int(s.C); c += 32) along += rows.weight(c) * rows.difference(c) * rows.unit(c);
    along = warp_sum(along);
    const float of_row = *upstream * factor * rows.of_a;
    for (int c = lane; c < int(s.C); c += 32)
        d.store(row * s.C + c, of_row * (rows.weight(c) * rows.difference(c) - rows.unit(c) * along));
}

} // namespace

void run(Exec ex, const LpipsFwd& op)
{
    const LpipsShape& s = op.s;
    double* partial = static_cast<double*>(ex.workspace.data);
    Grid grid = grid_1d((s.rows + kRowsOfWarp - 1) / kRowsOfWarp * 32);
    grid.blocks.x = std::min(grid.blocks.x, kGridSumBlocks);
    on_storage(op.kName, op.a.dtype, [&]<class T>() {
        launch(op.kName, lpips_kernel<T>, grid, ex, s, op.a.as<T>(), op.b.as<T>(), op.w.as<float>(), partial);
    });
    launch(op.kName, sum_of_partials<StoreMean>, grid_1d(1), ex, int(grid.blocks.x), partial,
           StoreMean{double(op.scale) / double(s.rows), op.loss.as<float>()});
}

void run(Exec ex, const LpipsGrad& op)
{
    const LpipsShape& s = op.s;
    on_storage(op.kName, op.a.dtype, [&]<class T>() {
        launch(op.kName, lpips_grad_kernel<T>, grid_1d(s.rows * 32), ex, s, op.a.as<T>(), op.b.as<T>(),
               op.w.as<float>(), float(2 * double(op.scale) / double(s.rows)), op.upstream.as<float>(),
               GradientStore<T>(op.d));
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
