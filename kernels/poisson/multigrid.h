// kernels/poisson/multigrid.h - the hierarchy of the Poisson solver, the same on every device, and its memory on a GPU.
#pragma once

#include "kernels/base/arena.h"
#include "kernels/poisson/poisson.h"

#include <algorithm>

namespace bifrons::kernels {

constexpr int kBandSweeps = 2;     ///< over the band along the mask's edge, on either side of the coarse correction
constexpr int kCoarsestSweeps = 8; ///< of the coarsest level, in each order
constexpr int kMostIterations = 100;

/// Levels with no more rows or columns are swept, not coarsened.
constexpr std::int64_t kCoarsestSide = 5;

/// Rows or columns of the next coarser level: a last pixel may lie beyond the picture, outside like the picture's edge.
constexpr std::int64_t coarser_side(std::int64_t side)
{
    return side / 2 + 1;
}

/// The resolutions of a picture, and where the arrays of one begin that hold all of them, one behind the other.
struct PoissonLevels {
    static constexpr int kMost = 32;
    struct Level {
        std::int64_t first; ///< pixels of the finer levels
        int H, W;
        BIFRONS_HD std::int64_t pixels() const { return std::int64_t(H) * W; }
    };

    PoissonLevels(std::int64_t H, std::int64_t W)
    {
        for (;; H = coarser_side(H), W = coarser_side(W)) {
            level[depth++] = {pixels, int(H), int(W)};
            pixels += H * W;
            if (std::min(H, W) <= kCoarsestSide) return;
        }
    }

    Level level[kMost] = {};
    int depth = 0;
    std::int64_t pixels = 0; ///< of all levels
};

/// What PoissonSolve keeps in its workspace on a GPU. Pictures are [C,H,W].
struct PoissonBuffers {
    static constexpr int kMostBlocks = 256; ///< of a channel

    PoissonBuffers(const PoissonShape& s, const PoissonLevels& levels, Arena& arena)
        : counter(arena.take<unsigned>(1)), z(arena.take<float>(s.C * levels.pixels)), p(arena.take<float>(s.size())),
          zeroed(arena.used()), r(arena.take<float>(s.C * levels.pixels)),
          inside(arena.take<std::uint8_t>(levels.pixels)), band(arena.take<std::uint8_t>(levels.pixels)),
          products(arena.take<double>(s.C * kMostBlocks)), energies(arena.take<double>(s.C * kMostBlocks)),
          largest(arena.take<float>(s.C * kMostBlocks))
    {
    }

    unsigned* counter;           ///< of the grid-wide barrier
    float *z, *p;                ///< V-cycle's solution, every level; direction
    std::size_t zeroed;          ///< bytes, from the start, that must be 0 at first
    float* r;                    ///< right side, every level; meaningful inside
    std::uint8_t *inside, *band; ///< 1 where a pixel is solved for; and where an outside one is within 2 px of it
    double *products, *energies; ///< [C,blocks] partial sums of r z and p (A p)
    float* largest;              ///< [C,blocks] |z|
};

} // namespace bifrons::kernels
