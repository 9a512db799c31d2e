// kernels/conv2d/igemm.cuh - the main loop of methods igemm_mma and tiled: a block of threads computes a tile of a
// product.
//
//   for each step of kIgemmDepthBytes of the reduction:      (copies run kStages - 1 steps ahead)
//       wait for the step's two operand tiles in shared memory; begin copying those of a later step
//       each warp: fragments by ldmatrix, products by mma.sync (tiled: each thread multiplies), sums in registers
//
// An operand's tile lies in shared memory as it does in global memory: its rows along the reduction (Major::depth), or
// one row for each index of the reduction (Major::side; then ldmatrix transposes). The 16-byte chunks of its rows are
// permuted so that neither the copies nor the fragments' loads meet in a bank.
#pragma once

#include "kernels/base/bf16.h"
#include "kernels/conv2d/conv2d_tuning.h"
#include "kernels/device/packet.cuh"
#include "kernels/device/simt.h"
#include "kernels/ptx/cp_async.h"
#include "kernels/ptx/ldmatrix.h"
#include "kernels/ptx/mma.h"

#include <type_traits>

namespace bifrons::kernels::BIFRONS_SIMT_NS {

/// Which index of an operand is contiguous: the reduction's, or that of the product's rows or columns.
enum class Major { depth, side };

/// A tile and how its block's warps divide it. A thread of `tiled` needs more registers beside its sums.
template <class T_, IgemmTile tile, bool tensor_cores>
struct Igemm {
    using T = T_;
    static constexpr bool kTensorCores = tensor_cores, kLarge = tile == IgemmTile::large;
    static constexpr int kRows = igemm_tile_size(tile).rows, kColumns = igemm_tile_size(tile).columns;
    static constexpr int kDepth = kIgemmDepthBytes / int(sizeof(T)); // elements of the reduction in a step
    static constexpr int kWarpRows = kLarge ? 64 : 32, kWarpColumns = kLarge && tensor_cores ? 64 : 32;
    static constexpr int kThreads = kRows / kWarpRows * (kColumns / kWarpColumns) * 32;
    static constexpr int kStages = kLarge ? 3 : 4;
    // That registers must suffice for, at least.
    static constexpr int kBlocksOfSm = kThreads > 128 ? 1 : kLarge ? 2 : 3;
};

// ---- operands in shared memory -----------------------------------------------------------------------------------

/// One operand's part of a step, kSide rows or columns of the product by kDepth of the reduction.
template <class T_, Major major, int kSide>
struct OperandTile {
    using T = T_;
    static constexpr int kRowBytes = major == Major::depth ? kIgemmDepthBytes : kSide * int(sizeof(T));
    static constexpr int kRows = major == Major::depth ? kSide : kIgemmDepthBytes / int(sizeof(T));
    static constexpr int kChunks = kRowBytes / 16;
    /// f32 by side cannot go through ldmatrix, which transposes 16-bit elements: words, whose 4 rows x 8 columns of a
    /// load must lie in 32 banks. Otherwise 8 rows of one chunk must.
    static constexpr bool kByWords = major == Major::side && sizeof(T) == 4;
    static constexpr Major kMajor = major;

    __device__ static int permutation(int row)
    {
        if constexpr (kByWords)
            return row % 4 * 2;
        else
            return kChunks >= 8 ? row % 8 : row / (8 / kChunks) % kChunks;
    }
    /// The address of a byte of a row; chunks stay whole.
    __device__ unsigned char* at(int row, int byte)
    {
        return bytes + row * kRowBytes + ((byte / 16 ^ permutation(row)) * 16 | byte % 16);
    }
    static_assert(kChunks >= (kByWords ? 8 : 4));

    alignas(128) unsigned char bytes[kRows * kRowBytes];
};

/// Which factor of mma an operand is.
enum class Factor { a, b };

/// Loads what 16 rows (a) or columns (b) from `side` on and the 32 bytes number `step` of the depth give to mma. Each
/// register holds 8 of the 16 and half of the depth: for a the side alternates first, for b the depth.
template <Factor factor, class Tile>
__device__ void load_fragment(std::uint32_t (&r)[4], Tile& tile, int side, int step)
{
    const int lane = int(threadIdx.x) % 32;
    const auto side_half = [](int part) { return factor == Factor::a ? part % 2 : part / 2; };
    const auto depth_half = [](int part) { return factor == Factor::a ? part / 2 : part % 2; };
    const int part = lane / 8, i = lane % 8;
    if constexpr (Tile::kMajor == Major::depth)
        ldmatrix_x4(r, tile.at(side + side_half(part) * 8 + i, step * 32 + depth_half(part) * 16));
    else if constexpr (!Tile::kByWords)
        ldmatrix_x4_trans(r, tile.at(step * 16 + depth_half(part) * 8 + i, (side + side_half(part) * 8) * 2));
    else
        for (int p = 0; p < 4; ++p)
            r[p] = *reinterpret_cast<const std::uint32_t*>(
                tile.at(step * 8 + depth_half(p) * 4 + lane % 4, (side + side_half(p) * 8 + lane / 4) * 4));
    if constexpr (sizeof(typename Tile::T) == 4)
        for (int p = 0; p < 4; ++p) {
            float value;
            memcpy(&value, &r[p], sizeof value);
            r[p] = to_tf32(value);
        }
}

// ---- products ----------------------------------------------------------------------------------------------------

/// A warp's sums, in the layout of mma's d.
template <class Tile>
struct Sums {
    static constexpr int kM = Tile::kWarpRows / 16, kN = Tile::kWarpColumns / 8;
    float d[kM][kN][4] = {};

    /// Rows 16 and on become the first.
    __device__ void drop_first_rows()
    {
#pragma unroll
        for (int m = 1; m < kM; ++m)
#pragma unroll
            for (int n = 0; n < kN; ++n)
#pragma unroll
                for (int i = 0; i < 4; ++i) d[m - 1][n][i] = d[m][n][i];
    }
};

template <class Tile, Major major_a, Major major_b>
struct Stage {
    OperandTile<typename Tile::T, major_a, Tile::kRows> a;
    OperandTile<typename Tile::T, major_b, Tile::kColumns> b;
};

/// The 16 rows of a warp's sums that are on their way from mma's layout to whole rows.
template <class Tile>
struct alignas(16) Strip {
    float sums[16 * Tile::kWarpColumns];
};

template <class Tile, Major major_a, Major major_b>
union IgemmShared {
    Stage<Tile, major_a, major_b> stages[Tile::kStages];
    Strip<Tile> strips[Tile::kThreads / 32];
};

/// The running thread's warp's first row and column in the block's tile.
template <class Tile>
__device__ int warp_row()
{
    return int(threadIdx.x) / 32 / (Tile::kColumns / Tile::kWarpColumns) * Tile::kWarpRows;
}
template <class Tile>
__device__ int warp_column()
{
    return int(threadIdx.x) / 32 % (Tile::kColumns / Tile::kWarpColumns) * Tile::kWarpColumns;
}

template <class Tile, class StageOfTile>
__device__ void multiply_step(Sums<Tile>& sums, StageOfTile& stage)
{
    constexpr int kM = Sums<Tile>::kM, kN = Sums<Tile>::kN;
#pragma unroll
    for (int step = 0; step < kIgemmDepthBytes / 32; ++step) {
        std::uint32_t a[kM][4], b[kN / 2][4];
#pragma unroll
        for (int m = 0; m < kM; ++m) load_fragment<Factor::a>(a[m], stage.a, warp_row<Tile>() + m * 16, step);
#pragma unroll
        for (int n = 0; n < kN / 2; ++n) load_fragment<Factor::b>(b[n], stage.b, warp_column<Tile>() + n * 16, step);
#pragma unroll
        for (int m = 0; m < kM; ++m)
#pragma unroll
            for (int n = 0; n < kN; ++n) {
                const std::uint32_t column[2] = {b[n / 2][n % 2 * 2], b[n / 2][n % 2 * 2 + 1]};
                if constexpr (sizeof(typename Tile::T) == 2)
                    mma_bf16(sums.d[m][n], a[m], column);
                else
                    mma_tf32(sums.d[m][n], a[m], column);
            }
    }
}

/// Four values along the depth for one row or column of the product.
template <class Tile>
__device__ void load_values(float (&v)[4], Tile& tile, int side, int depth)
{
    if constexpr (Tile::kMajor == Major::depth)
        load_packet(reinterpret_cast<const float*>(tile.at(side, depth * 4)), v);
    else
        for (int i = 0; i < 4; ++i) v[i] = *reinterpret_cast<const float*>(tile.at(depth + i, side * 4));
}

/// multiply_step in f32. A thread has the rows and columns that mma's d would give it.
template <class Tile, class StageOfTile>
__device__ void multiply_step_f32(Sums<Tile>& sums, StageOfTile& stage)
{
    constexpr int kM = Sums<Tile>::kM, kN = Sums<Tile>::kN;
    const int lane = int(threadIdx.x) % 32;
    const int row = warp_row<Tile>() + lane / 4, column = warp_column<Tile>() + lane % 4 * 2;
#pragma unroll 1
    for (int depth = 0; depth < Tile::kDepth; depth += 4) {
        float a[2 * kM][4];
#pragma unroll
        for (int m = 0; m < 2 * kM; ++m) load_values(a[m], stage.a, row + m * 8, depth);
#pragma unroll
        for (int n = 0; n < 2 * kN; ++n) {
            float b[4];
            load_values(b, stage.b, column + n / 2 * 8 + n % 2, depth);
#pragma unroll
            for (int i = 0; i < 4; ++i)
#pragma unroll
                for (int m = 0; m < 2 * kM; ++m) sums.d[m / 2][n / 2][m % 2 * 2 + n % 2] += a[m][i] * b[i];
        }
    }
}

/// sums += the next `steps` steps of the loaders' product. loader.load(tile) begins the copies of a step and moves on.
template <class Tile, class Shared, class LoaderA, class LoaderB>
__device__ void multiply(Sums<Tile>& sums, Shared& shared, LoaderA& a, LoaderB& b, int steps)
{
    constexpr int kStages = Tile::kStages;
    const auto begin_step = [&](int step) {
        if (step < steps) {
            a.load(shared.stages[step % kStages].a);
            b.load(shared.stages[step % kStages].b);
        }
        cp_async_commit(); // an empty group too, so that the count of groups tells the step
    };
    for (int step = 0; step < kStages - 1; ++step) begin_step(step);
    for (int step = 0; step < steps; ++step) {
        cp_async_wait<kStages - 2>();
        __syncthreads(); // everybody's copies of this step are there, and the stage before it has been read
        begin_step(step + kStages - 1);
        if constexpr (Tile::kTensorCores)
            multiply_step(sums, shared.stages[step % kStages]);
        else
            multiply_step_f32(sums, shared.stages[step % kStages]);
    }
    cp_async_wait<0>();
    __syncthreads(); // the stages make room for the strips
}

/// The part of `steps` that the block's split computes: [first, last).
struct SplitSteps {
    __device__ SplitSteps(int steps, int split, int splits)
        : first(int(std::int64_t(steps) * split / splits)), last(int(std::int64_t(steps) * (split + 1) / splits))
    {
    }
    int first, last;
};

// ---- the way out -------------------------------------------------------------------------------------------------

/// Hands the warp's sums to out, once each: out(row, column, float (&)[n]) for n neighbouring columns, counted within
/// the block's tile, neighbouring lanes side by side. n is Out::kRun if out.whole_runs, else 1.
template <class Tile, class Shared, class Out>
__device__ void emit(Sums<Tile>& sums, Shared& shared, const Out& out)
{
    constexpr int kRun = Out::kRun, kColumns = Tile::kWarpColumns, kLanesOfRow = kColumns / kRun;
    const int lane = int(threadIdx.x) % 32;
    float* strip = shared.strips[threadIdx.x / 32].sums;
    // Chunks of four floats are permuted: four rows' pairs, and then four lanes' runs of two chunks, lie in 32 banks.
    const auto at = [strip](int row, int column) {
        const int chunk = column / 4 ^ row % 4 * 2 ^ ((row ^ column / 32) & 1);
        return strip + row * kColumns + chunk * 4 + column % 4;
    };
#pragma unroll 1
    for (int m = 0; m < Sums<Tile>::kM; ++m) {
#pragma unroll
        for (int n = 0; n < Sums<Tile>::kN; ++n)
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                const float pair[2] = {sums.d[0][n][half * 2], sums.d[0][n][half * 2 + 1]};
                store_packet(at(lane / 4 + half * 8, n * 8 + lane % 4 * 2), pair);
            }
        sums.drop_first_rows(); // rather than an index of registers, which would have to be known when compiling
        __syncwarp();
#pragma unroll 1
        for (int row = lane / kLanesOfRow; row < 16; row += 32 / kLanesOfRow) {
            const int column = lane % kLanesOfRow * kRun;
            const int block_row = warp_row<Tile>() + m * 16 + row, block_column = warp_column<Tile>() + column;
            if (out.whole_runs) {
                float run[kRun];
#pragma unroll
                for (int i = 0; i < kRun; i += 4) {
                    float chunk[4];
                    load_packet(at(row, column + i), chunk);
#pragma unroll
                    for (int j = 0; j < 4; ++j) run[i + j] = chunk[j];
                }
                out(block_row, block_column, run);
            } else {
#pragma unroll 1
                for (int i = 0; i < kRun; ++i) {
                    float one[1] = {*at(row, column + i)};
                    out(block_row, block_column + i, one);
                }
            }
        }
        __syncwarp();
    }
}

/// Where a split leaves its part of n sums, to be added by add_splits. Absent where the product is not split.
struct PartialSums {
    PartialSums(const Exec& ex, int splits, std::int64_t size)
        : data(splits > 1 ? static_cast<float*>(ex.workspace.data) : nullptr), n(size)
    {
    }
    template <int run>
    __device__ void store(int split, std::int64_t i, const float (&v)[run]) const
    {
        store_packet(data + split * n + i, v);
    }
    float* data;
    std::int64_t n;
};

/// dw = v, or += for accumulate.
struct FilterStore {
    template <int n>
    __device__ void store(std::int64_t i, float (&v)[n]) const
    {
        if (accumulate) add_packet(dw + i, v);
        store_packet(dw + i, v);
    }
    float* dw;
    bool accumulate;
};

/// out.store(i, sum of the splits' parts of elements i .. i+N-1). A block takes kBlockSize / teams packets; each team
/// adds every teams-th split, then the first adds the teams' sums, all in a fixed order.
template <int N, class Out>
__global__ void __launch_bounds__(kBlockSize) add_splits(PartialSums partial, int splits, int teams, Out out)
{
    wait_for_previous_kernel();
    using TeamSums = Packet<float, N>[kBlockSize];
    SHARED(TeamSums, sums);
    const int packets = int(kBlockSize) / teams, packet = int(threadIdx.x) % packets;
    const int team = int(threadIdx.x) / packets;
    const std::int64_t i = (std::int64_t(blockIdx.x) * packets + packet) * N;
    float sum[N] = {};
    if (i < partial.n)
        for (int split = team; split < splits; split += teams) add_packet(partial.data + split * partial.n + i, sum);
    store_packet(sums[threadIdx.x].element, sum);
    __syncthreads();
    if (team != 0 || i >= partial.n) return;
    for (int other = 1; other < teams; ++other) add_packet(sums[other * packets + packet].element, sum);
    out.store(i, sum);
}

/// Enqueues it, if there are splits. n is a multiple of N.
template <int N, class Out>
void launch_add_splits(const char* name, const Exec& ex, const PartialSums& partial, int splits, const Out& out)
{
    if (splits == 1) return;
    const int teams = splits < 16 ? 1 : 8; // many splits of few sums: more threads than packets
    launch(name, add_splits<N, Out>, grid_1d(partial.n / N * teams), ex, partial, splits, teams, out);
}

// ---- the choice of a kernel --------------------------------------------------------------------------------------

template <class T, bool tensor_cores, class F>
void on_tile(IgemmTile tile, int copy_bytes, const F& f)
{
    if (copy_bytes == 8) return f.template operator()<Igemm<T, IgemmTile::medium, tensor_cores>, 8>();
    if (copy_bytes == 4) return f.template operator()<Igemm<T, IgemmTile::medium, tensor_cores>, 4>();
    switch (tile) {
    case IgemmTile::large:
        return f.template operator()<Igemm<T, IgemmTile::large, tensor_cores>, 16>();
    case IgemmTile::medium:
        return f.template operator()<Igemm<T, IgemmTile::medium, tensor_cores>, 16>();
    case IgemmTile::tall:
        return f.template operator()<Igemm<T, IgemmTile::tall, tensor_cores>, 16>();
    case IgemmTile::flat:
        return f.template operator()<Igemm<T, IgemmTile::flat, tensor_cores>, 16>();
    }
}

/// Calls f<Igemm<T, ...>, copy>() for the plan and copies of that many bytes.
template <class T, class F>
void on_igemm(const IgemmPlan& plan, int copy_bytes, const F& f)
{
    if constexpr (std::is_same_v<T, float>)
        if (!plan.tensor_cores) return on_tile<T, false>(plan.tile, copy_bytes, f);
    on_tile<T, true>(plan.tile, copy_bytes, f);
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
