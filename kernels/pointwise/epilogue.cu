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

void run(Exec ex, const EpilogueFwd& op)
{
    const EpilogueShape& s = op.s;
    on_storage(op.kName, op.v.dtype, [&]<class T>() {
        const EpilogueStore<T> to(s, op.e, op.y);
        on_packets<T>(to.run(), {op.v, op.y, op.e.bias, op.e.add, op.e.z}, [&]<int N>() {
            launch(op.kName, epilogue_kernel<T, N>, grid_of_packets<N>(s.size()), ex, s.size(), op.v.as<T>(), to);
        });
    });
}

void run(Exec ex, const StoreGradient& op)
{
    on_storage(op.kName, op.v.dtype, [&]<class T>() {
        on_packets<T>({op.v, op.s.out, op.s.add, op.s.saved}, [&]<int N>() {
            launch(op.kName, store_gradient_kernel<T, N>, grid_of_packets<N>(op.n), ex, op.n, op.v.as<T>(),
                   GradientStore<T>(op.s));
        });
    });
}

void run(Exec ex, const Unshuffle& op)
{
    const EpilogueShape& s = op.s;
    on_storage(op.kName, op.d.dtype, [&]<class T>() {
        const EpilogueStore<T> map(s, {.shuffle = op.f}, {});
        on_packets<T>(map.run(), {op.dy, op.d}, [&]<int N>() {
            launch(op.kName, unshuffle_kernel<T, N>, grid_of_packets<N>(s.size()), ex, s.size(), op.dy.as<T>(), map,
                   op.d.as<T>());
        });
    });
}

void run(Exec ex, const BiasGrad& op)
{
    const std::int64_t rows = op.rows;
    const std::int64_t K = op.K;
    const std::int64_t blocks = bias_grad_blocks(rows);
    const View partial{ex.workspace.data};
    BIFRONS_CHECK(bug, ex.workspace.bytes >= bias_grad_workspace(rows, K), "bias_grad: ", bias_grad_workspace(rows, K),
                  " bytes of workspace needed, ", ex.workspace.bytes, " given");
    on_storage(op.kName, op.d.dtype, [&]<class T>() {
        if (blocks == 1) return column_sums<T>(ex, rows, 1, K, op.d, op.db.as<float>(), op.accumulate);
        column_sums<T>(ex, rows, blocks, K, op.d, partial.as<float>(), false);
        column_sums<float>(ex, blocks, 1, K, partial, op.db.as<float>(), op.accumulate);
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
