// kernels/poisson/multigrid.cuh - the V-cycle of multigrid_cpu.h by all blocks of a cooperative grid: fine levels by
// all blocks of a channel, with a grid-wide barrier between sweeps; what a block can hold in its first-level cache by
// one block a channel, whose barriers cost a tenth.
#pragma once

#include "kernels/poisson/multigrid.h"
#include "kernels/ptx/grid_sync.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

constexpr int kWarps = int(kBlockSize) / 32;

/// Levels of no more pixels are one block's.
constexpr std::int64_t kPixelsOfBlock = 66 * 66;

/// One level of one channel.
struct Level {
    int H, W;
    float *z, *r;
    const std::uint8_t *inside, *band;
};

/// Warps that work on one channel and wait for each other.
struct Team {
    int warp, warps;   // this thread's, and how many there are
    unsigned* counter; // of the grid's barrier; null for one block

    __device__ void wait() const
    {
        if (counter)
            grid_sync(counter);
        else
            __syncthreads();
    }

    /// body(y, x) for the pixels of one colour, (y + x) % 2, that are not on the picture's edge.
    template <class Body>
    __device__ void for_colour(int H, int W, int colour, const Body& body) const
    {
        for (int y = 1 + warp; y < H - 1; y += warps)
            for (int x = ((y + 1) % 2 == colour ? 1 : 2) + 2 * int(threadIdx.x % 32); x < W - 1; x += 64) body(y, x);
    }

    /// body(y, x) for all pixels that are not on the picture's edge.
    template <class Body>
    __device__ void for_pixels(int H, int W, const Body& body) const
    {
        for (int y = 1 + warp; y < H - 1; y += warps)
            for (int x = 1 + int(threadIdx.x % 32); x < W - 1; x += 32) body(y, x);
    }
};

/// Sum of the four neighbours.
inline __device__ float around(const float* z, int W)
{
    return (z[-W] + z[W]) + (z[-1] + z[1]);
}

/// A Gauss-Seidel sweep over the pixels of one colour where `where` is set; waits afterwards.
inline __device__ void relax(const Team& team, const Level& l, const std::uint8_t* where, int colour)
{
    team.for_colour(l.H, l.W, colour, [&](int y, int x) {
        const int i = y * l.W + x;
        if (where[i]) l.z[i] = 0.25f * (around(l.z + i, l.W) + l.r[i]);
    });
    team.wait();
}

/// r - A z
inline __device__ float residual(const Level& l, int y, int x)
{
    const int i = y * l.W + x;
    return l.inside[i] ? l.r[i] - 4 * l.z[i] + around(l.z + i, l.W) : 0.0f;
}

/// The coarse right side from the red residual, and zero as first solution: the transpose of bilinear interpolation,
/// less the black pixels, whose residual is 0 after a sweep that ended with them.
inline __device__ void restrict_to(const Team& team, const Level& fine, const Level& coarse)
{
    team.for_pixels(coarse.H, coarse.W, [&](int y, int x) {
        const int i = y * coarse.W + x;
        if (!coarse.inside[i]) return;
        float corners = 0;
        for (const int v : {2 * y - 1, 2 * y + 1})
            for (const int u : {2 * x - 1, 2 * x + 1}) corners += residual(fine, v, u);
        coarse.r[i] = residual(fine, 2 * y, 2 * x) + 0.25f * corners;
        coarse.z[i] = 0;
    });
    team.wait();
}

/// Corrects the red pixels only: the sweep that follows begins with the black ones, from their red neighbours.
inline __device__ void prolong(const Team& team, const Level& coarse, const Level& fine)
{
    team.for_colour(fine.H, fine.W, 0, [&](int y, int x) {
        const int i = y * fine.W + x;
        if (!fine.inside[i]) return;
        const float* z = coarse.z + y / 2 * coarse.W + x / 2;
        fine.z[i] += y % 2 == 0 ? z[0] : 0.25f * ((z[0] + z[coarse.W]) + (z[1] + z[coarse.W + 1]));
    });
    team.wait();
}

/// Half-sweeps red, black, red ... - the first over the band - or the same ones in the opposite order.
inline __device__ void smooth(const Team& team, const Level& l, bool coarsest, bool reversed)
{
    const int of_band = coarsest ? 0 : 2 * kBandSweeps, all = of_band + 2 * (coarsest ? kCoarsestSweeps : 1);
    for (int k = 0; k < all; ++k) {
        const int i = reversed ? all - 1 - k : k;
        relax(team, l, i < of_band ? l.band : l.inside, i % 2);
    }
}

/// z = one V-cycle from z = 0 on A z = r, of this block's channel. Every block of the grid calls this: those of `all`
/// work on levels before first_of_block together; after them the block with `is_first` continues as the team `one`.
/// level(i) gives the channel's levels. Where first_of_block is 0 the channel has one block only.
template <class LevelAt>
__device__ void v_cycle(const Team& all, const Team& one, bool is_first, const LevelAt& level, int first_of_block,
                        int depth)
{
    for (int l = 0; l < depth && (l < first_of_block || is_first); ++l) {
        const Team team = l < first_of_block ? Team(all) : Team(one);
        smooth(team, level(l), l == depth - 1, false);
        if (l < depth - 1) restrict_to(team, level(l), level(l + 1));
    }
    for (int l = is_first ? depth - 1 : first_of_block - 1; l >= 0; --l) {
        if (l == first_of_block - 1) all.wait();
        const Team team = l < first_of_block ? Team(all) : Team(one);
        if (l < depth - 1) prolong(team, level(l + 1), level(l));
        smooth(team, level(l), l == depth - 1, true);
    }
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
