// kernels/pointwise/epilogue.cu - the store formula by itself, the inverse shuffle, and the bias gradient.
#include "kernels/pointwise/epilogue.h"

#include "kernels/device/simt.h"
#include "kernels/device/storage.h"
#include "kernels/pointwise/store.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

// The first three: one thread an element, neighbours side by side. Limit: memory bandwidth.

// v may be the output, so neither is __restrict__.
template <class T>
__global__ void __launch_bounds__(kBlockSize) epilogue_kernel(std::int64_t n, const T* v, EpilogueStore<T> y)
{
    const std::int64_t i = global_thread();
    if (i < n) y.store(i, to_f32(v[i]));
}

template <class T>
__global__ void __launch_bounds__(kBlockSize) store_gradient_kernel(std::int64_t n, const T* v, GradientStore<T> d)
{
    const std::int64_t i = global_thread();
    if (i < n) d.store(i, to_f32(v[i]));
}

template <class T>
__global__ void __launch_bounds__(kBlockSize)
    unshuffle_kernel(std::int64_t n, const T* __restrict__ dy, EpilogueStore<T> map, T* __restrict__ d)
{
    const std::int64_t i = global_thread();
    if (i < n) d[i] = dy[map.shuffled(i)];
}

constexpr int kColumns = 32, kRows = 8; // of a block of bias_grad_kernel
using Partials = float[kRows][kColumns];

// A block sums 32 neighbouring columns of d [rows,K]: each of its 8 rows of threads every eighth row of d, then the
// first row of threads the 8 partial sums, in their order.
template <class T>
__global__ void __launch_bounds__(kColumns* kRows)
    bias_grad_kernel(std::int64_t rows, std::int64_t K, const T* __restrict__ d, float* __restrict__ db,
                     bool accumulate)
{
    SHARED(Partials, partial);
    const int column = int(threadIdx.x) % kColumns, first = int(threadIdx.x) / kColumns;
    const std::int64_t k = std::int64_t(blockIdx.x) * kColumns + column;
    float sum = 0;
    if (k < K)
        for (std::int64_t row = first; row < rows; row += kRows) sum += to_f32(d[row * K + k]);
    partial[first][column] = sum;
    __syncthreads();
    if (first != 0 || k >= K) return;
    for (int i = 1; i < kRows; ++i) sum += partial[i][column];
    db[k] = accumulate ? db[k] + sum : sum;
}

} // namespace

void epilogue_fwd(Exec ex, const EpilogueShape& s, ConstView v, View y, const Epilogue& e)
{
    on_storage("epilogue_fwd", v.dtype, [&]<class T>() {
        launch("epilogue_fwd", epilogue_kernel<T>, grid_1d(s.size()), ex, s.size(), v.as<T>(),
               EpilogueStore<T>(s, e, y));
    });
}

void store_gradient(Exec ex, std::int64_t n, ConstView v, const Store& s)
{
    on_storage("store_gradient", v.dtype, [&]<class T>() {
        launch("store_gradient", store_gradient_kernel<T>, grid_1d(n), ex, n, v.as<T>(), GradientStore<T>(s));
    });
}

void unshuffle(Exec ex, const EpilogueShape& s, int f, ConstView dy, View d)
{
    on_storage("unshuffle", d.dtype, [&]<class T>() {
        const EpilogueStore<T> map(s, {.shuffle = f}, {});
        launch("unshuffle", unshuffle_kernel<T>, grid_1d(s.size()), ex, s.size(), dy.as<T>(), map, d.as<T>());
    });
}

void bias_grad(Exec ex, std::int64_t rows, std::int64_t K, ConstView d, View db, bool accumulate)
{
    const Grid grid{.blocks = {unsigned((K + kColumns - 1) / kColumns)}, .threads = {kColumns * kRows}};
    on_storage("bias_grad", d.dtype, [&]<class T>() {
        launch("bias_grad", bias_grad_kernel<T>, grid, ex, rows, K, d.as<T>(), db.as<float>(), accumulate);
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
