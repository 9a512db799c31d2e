// kernels/pointwise/epilogue.cu - the store formula by itself, the inverse shuffle, and the bias gradient.
#include "kernels/pointwise/epilogue.h"

#include "kernels/device/simt.h"
#include "kernels/device/storage.h"
#include "kernels/pointwise/store.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

// The first three: a packet of neighbours a thread. Limit: memory bandwidth.

// v may be the output.
template <class T, int N>
__global__ void __launch_bounds__(kBlockSize) epilogue_kernel(std::int64_t n, const T* v, EpilogueStore<T> y)
{
    wait_for_previous_kernel();
    in_packets<N>(n, [&]<int M>(std::int64_t i) {
        float packet[M];
        load_packet(v + i, packet);
        y.store(i, packet);
    });
}

template <class T, int N>
__global__ void __launch_bounds__(kBlockSize) store_gradient_kernel(std::int64_t n, const T* v, GradientStore<T> d)
{
    wait_for_previous_kernel();
    in_packets<N>(n, [&]<int M>(std::int64_t i) {
        float packet[M];
        load_packet(v + i, packet);
        d.store(i, packet);
    });
}

template <class T, int N>
__global__ void __launch_bounds__(kBlockSize) unshuffle_kernel(std::int64_t n, const T* dy, EpilogueStore<T> map, T* d)
{
    wait_for_previous_kernel();
    in_packets<N>(n, [&]<int M>(std::int64_t i) {
        float packet[M];
        load_packet(dy + map.shuffled(i), packet);
        store_packet(d + i, packet);
    });
}

template <int N>
struct alignas(16) Partials {
    float sum[kBlockSize * N];
};

// Block (x, y) sums the x-th share of the rows of d [rows,K], in `width` packets of columns from the y-th on: its
// threads form rows of that width, which take the rows of d in turn; then their sums are added in order.
template <class T, int N>
__global__ void __launch_bounds__(kBlockSize) column_sums_kernel(std::int64_t rows, std::int64_t share, std::int64_t K,
                                                                 int width, const T* d, float* sums, bool accumulate)
{
    wait_for_previous_kernel();
    SHARED(Partials<N>, partial);
    const int height = int(kBlockSize) / width, thread = int(threadIdx.x), thread_row = thread / width;
    const std::int64_t first_k = std::int64_t(blockIdx.y) * width * N, k = first_k + thread % width * N;
    const std::int64_t first_row = blockIdx.x * share, end = min(rows, first_row + share);
    float sum[N] = {};
    if (thread_row < height && k < K) {
#pragma unroll 4
        for (std::int64_t row = first_row + thread_row; row < end; row += height) add_packet(d + row * K + k, sum);
    }
    store_packet(partial.sum + thread * N, sum);
    __syncthreads();
    for (int i = thread; i < width * N && first_k + i < K; i += int(kBlockSize)) {
        float total = 0;
        for (int row = 0; row < height; ++row) total += partial.sum[row * width * N + i];
        float& to = sums[blockIdx.x * K + first_k + i];
        to = accumulate ? to + total : total;
    }
}

/// sums [blocks,K] of as many shares of the rows.
template <class T>
void column_sums(Exec ex, std::int64_t rows, std::int64_t blocks, std::int64_t K, ConstView d, float* sums,
                 bool accumulate)
{
    on_packets<T>(K, {d}, [&]<int N>() {
        const std::int64_t packets = K / N, width = std::min<std::int64_t>(packets, 64);
        const Grid grid{.blocks = {unsigned(blocks), unsigned((packets + width - 1) / width)}, .threads = {kBlockSize}};
        launch("bias_grad", column_sums_kernel<T, N>, grid, ex, rows, (rows + blocks - 1) / blocks, K, width, d.as<T>(),
               sums, accumulate);
    });
}

} // namespace

void epilogue_fwd(Exec ex, const EpilogueShape& s, ConstView v, View y, const Epilogue& e)
{
    on_storage("epilogue_fwd", v.dtype, [&]<class T>() {
        const EpilogueStore<T> to(s, e, y);
        on_packets<T>(to.run(), {v, y, e.bias, e.add, e.z}, [&]<int N>() {
            launch("epilogue_fwd", epilogue_kernel<T, N>, grid_of_packets<N>(s.size()), ex, s.size(), v.as<T>(), to);
        });
    });
}

void store_gradient(Exec ex, std::int64_t n, ConstView v, const Store& s)
{
    on_storage("store_gradient", v.dtype, [&]<class T>() {
        on_packets<T>({v, s.out, s.add, s.saved}, [&]<int N>() {
            launch("store_gradient", store_gradient_kernel<T, N>, grid_of_packets<N>(n), ex, n, v.as<T>(),
                   GradientStore<T>(s));
        });
    });
}

void unshuffle(Exec ex, const EpilogueShape& s, int f, ConstView dy, View d)
{
    on_storage("unshuffle", d.dtype, [&]<class T>() {
        const EpilogueStore<T> map(s, {.shuffle = f}, {});
        on_packets<T>(map.run(), {dy, d}, [&]<int N>() {
            launch("unshuffle", unshuffle_kernel<T, N>, grid_of_packets<N>(s.size()), ex, s.size(), dy.as<T>(), map,
                   d.as<T>());
        });
    });
}

void bias_grad(Exec ex, std::int64_t rows, std::int64_t K, ConstView d, View db, bool accumulate)
{
    const std::int64_t blocks = bias_grad_blocks(rows);
    const View partial{ex.workspace.data};
    BIFRONS_CHECK(bug, ex.workspace.bytes >= bias_grad_workspace(rows, K), "bias_grad: ", bias_grad_workspace(rows, K),
                  " bytes of workspace needed, ", ex.workspace.bytes, " given");
    on_storage("bias_grad", d.dtype, [&]<class T>() {
        if (blocks == 1) return column_sums<T>(ex, rows, 1, K, d, db.as<float>(), accumulate);
        column_sums<T>(ex, rows, blocks, K, d, partial.as<float>(), false);
        column_sums<float>(ex, blocks, 1, K, partial, db.as<float>(), accumulate);
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
