// kernels/device/reduce.cuh - sums over a warp, a block and a grid. No atomics: the order is fixed by the sizes alone,
// so the same build gives the same bits on every run. Comes with simt.h.
#pragma once

namespace bifrons::kernels::BIFRONS_SIMT_NS {

/// The sum over a whole warp, in every lane.
template <class T>
__device__ T warp_sum(T value)
{
    for (int distance = 16; distance > 0; distance /= 2) value += __shfl_xor_sync(kWholeWarp, value, distance);
    return value;
}

/// The sum over a one-dimensional block of whole warps, in every thread. All threads call it.
template <class T>
__device__ T block_sum(T value)
{
    using Partials = T[32];
    SHARED(Partials, partial);
    value = warp_sum(value);
    __syncthreads(); // the partials of an earlier call may still be being read
    if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
    __syncthreads();
    T sum = 0;
    for (unsigned warp = 0; warp < blockDim.x / 32; ++warp) sum += partial[warp];
    return sum;
}

/// partial[block] = sum of term(i) over the elements of the block's threads, each of which strides through the grid.
template <class Term>
__global__ void __launch_bounds__(kBlockSize) partial_sums(std::int64_t n, Term term, double* partial)
{
    wait_for_previous_kernel();
    double sum = 0;
    const std::int64_t stride = std::int64_t(gridDim.x) * blockDim.x;
    for (std::int64_t i = global_thread(); i < n; i += stride) sum += term(i);
    sum = block_sum(sum);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

/// finish(sum of the partials), by one thread of one block.
template <class Finish>
__global__ void __launch_bounds__(kBlockSize) sum_of_partials(int n, const double* partial, Finish finish)
{
    wait_for_previous_kernel();
    double sum = 0;
    for (int i = int(threadIdx.x); i < n; i += int(blockDim.x)) sum += partial[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) finish(sum);
}

/// finish(sum over i in [0, n) of term(i)) on the device, in f64, in two launches. Both are structs with a
/// __device__ operator(). Needs grid_sum_workspace.
template <class Term, class Finish>
void grid_sum(const char* name, const Exec& ex, std::int64_t n, const Term& term, const Finish& finish)
{
    constexpr std::int64_t kElementsOfThread = 4;
    double* partial = static_cast<double*>(ex.workspace.data);
    Grid grid = grid_1d((n + kElementsOfThread - 1) / kElementsOfThread);
    grid.blocks.x = std::min(grid.blocks.x, kGridSumBlocks);
    launch(name, partial_sums<Term>, grid, ex, n, term, partial);
    launch(name, sum_of_partials<Finish>, grid_1d(1), ex, int(grid.blocks.x), partial, finish);
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
