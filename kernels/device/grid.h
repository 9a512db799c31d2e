// kernels/device/grid.h - how many threads a kernel is launched with. Plain C++, the same on both sides.
#pragma once

#include "kernels/device/device.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace bifrons::kernels {

struct Dim3 {
    unsigned x = 1, y = 1, z = 1;
};

/// Element i of a three-dimensional array of this size, x fastest.
inline Dim3 unflatten(std::size_t i, Dim3 size)
{
    return {unsigned(i % size.x), unsigned(i / size.x % size.y), unsigned(i / size.x / size.y)};
}

/// "(1,2,3)"
inline std::string text(Dim3 d)
{
    return str("(", d.x, ",", d.y, ",", d.z, ")");
}

struct Grid {
    Dim3 blocks = {};     ///< x up to 2^31 - 1; y and z up to 65535
    Dim3 threads = {};    ///< of a block: at most 1024 in all
    std::size_t smem = 0; ///< bytes of dynamic shared memory, see dyn_shared
    unsigned cluster = 1; ///< neighbours along x that run at once and see each other's shared memory (sm_90)
    /// All blocks run at once, so that they can wait for each other (ptx/grid_sync.h). At most resident_blocks().
    bool cooperative = false;

    int block_size() const { return int(threads.x * threads.y * threads.z); }
};

/// Threads of a block where nothing speaks for another number. A multiple of the warp.
constexpr unsigned kBlockSize = 256;

/// A sum over a grid (reduce.cuh) has at most this many partial sums, in f64.
constexpr unsigned kGridSumBlocks = 1024;

/// Their bytes, for the cost of an operation that sums over a grid.
inline std::size_t grid_sum_workspace(Target target)
{
    return target.kind == DeviceKind::cpu ? 0 : kGridSumBlocks * sizeof(double);
}

/// At least n threads in a row: thread global_thread() does element global_thread(), if that is below n.
inline Grid grid_1d(std::int64_t n, unsigned threads = kBlockSize)
{
    const std::int64_t blocks = std::max<std::int64_t>(1, (n + threads - 1) / threads);
    BIFRONS_CHECK(shape, blocks < std::int64_t(1) << 31, "grid_1d: ", n, " elements do not fit one launch");
    return {.blocks = {unsigned(blocks)}, .threads = {threads}};
}

} // namespace bifrons::kernels
