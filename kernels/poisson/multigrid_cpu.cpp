#include "kernels/poisson/multigrid_cpu.h"

#include "kernels/base/clones.h"
#include "kernels/base/parallel.h"
#include "kernels/poisson/multigrid.h"

#include <algorithm>

namespace bifrons::kernels::cpu {

namespace {

constexpr std::int64_t kGrain = 1 << 16; // pixels that are worth a thread

/// body(y) for the rows 1 .. H-2, on all threads.
template <class Body>
void for_inner_rows(const Checkerboard& c, const Body& body)
{
    parallel_for(c.H - 2, std::max<std::int64_t>(1, kGrain / c.W), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t y = begin + 1; y < end + 1; ++y) body(y);
    });
}

/// Gauss-Seidel on one colour of a row; `other` is that row of the other colour.
BIFRONS_CLONES void relax_row(CheckerRow row, std::int64_t half, const float* inside, const float* r,
                              const float* other, float* __restrict z)
{
    for (std::int64_t k = row.begin; k < row.end; ++k)
        z[k] = 0.25f * inside[k] * ((other[k - half] + other[k + half]) + (other[k] + other[k + row.side]) + r[k]);
}

/// rest = r - A z
BIFRONS_CLONES void residual_row(CheckerRow row, std::int64_t half, const float* inside, const float* r,
                                 const float* other, const float* z, float* __restrict rest)
{
    for (std::int64_t k = row.begin; k < row.end; ++k)
        rest[k] =
            inside[k] * (r[k] - 4 * z[k] + ((other[k - half] + other[k + half]) + (other[k] + other[k + row.side])));
}

/// One colour of a coarse row from the red residual of the fine row it lies on: the transpose of bilinear
/// interpolation, less the black pixels, whose residual is 0 after a sweep that ended with them.
BIFRONS_CLONES void restrict_row(CheckerRow row, std::int64_t fine_half, const float* inside, const float* rest,
                                 float* __restrict r)
{
    const float *up = rest - fine_half, *down = rest + fine_half;
    const std::int64_t offset = row.side > 0;
    for (std::int64_t k = row.begin; k < row.end; ++k) {
        const std::int64_t j = 2 * k + offset;
        r[k] = inside[k] * (rest[j] + 0.25f * ((up[j - 1] + up[j]) + (down[j - 1] + down[j])));
    }
}

/// Red pixels of an even row lie on coarse ones, by turns in the two colours.
BIFRONS_CLONES void prolong_even_row(std::int64_t end, const float* even, const float* odd, const float* inside,
                                     float* __restrict z)
{
    for (std::int64_t m = 0; m < end / 2; ++m) {
        z[2 * m] += inside[2 * m] * even[m];
        z[2 * m + 1] += inside[2 * m + 1] * odd[m];
    }
    if (end % 2) z[end - 1] += inside[end - 1] * even[end / 2];
}

/// Red pixels of an odd row lie between four coarse ones.
BIFRONS_CLONES void prolong_odd_row(std::int64_t end, const float* even, const float* odd, const float* even_below,
                                    const float* odd_below, const float* inside, float* __restrict z)
{
    for (std::int64_t m = 0; m < end / 2; ++m) {
        const float centre = odd[m] + odd_below[m];
        z[2 * m] += 0.25f * inside[2 * m] * (even[m] + even_below[m] + centre);
        z[2 * m + 1] += 0.25f * inside[2 * m + 1] * (even[m + 1] + even_below[m + 1] + centre);
    }
    const std::int64_t m = end / 2;
    if (end % 2) z[end - 1] += 0.25f * inside[end - 1] * (even[m] + even_below[m] + (odd[m] + odd_below[m]));
}

/// least[x] = the least of the five values about x; 0 near the ends.
BIFRONS_CLONES void least_of_row(std::int64_t W, const float* inside, float* __restrict least)
{
    std::fill_n(least, W, 0.0f);
    for (std::int64_t x = 2; x < W - 2; ++x)
        least[x] = std::min(std::min(std::min(inside[x - 2], inside[x - 1]), std::min(inside[x + 1], inside[x + 2])),
                            inside[x]);
}

/// inside [H,W] of the finest level, or of the next from the finer one.
void plain_inside(const Checkerboard& c, const std::uint8_t* mask, const float* finer, std::int64_t finer_W,
                  float* inside)
{
    std::fill_n(inside, c.H * c.W, 0.0f);
    for_inner_rows(c, [&](std::int64_t y) {
        float* row = inside + y * c.W;
        for (std::int64_t x = 1; x < c.W - 1; ++x)
            row[x] = finer ? finer[2 * y * finer_W + 2 * x] : (!mask || mask[y * c.W + x] ? 1.0f : 0.0f);
    });
}

} // namespace

MaskPyramid::MaskPyramid(std::int64_t H, std::int64_t W, Arena& arena)
    : plain_(arena.take<float>(H * W)), finer_(arena.take<float>(H * W))
{
    for (;;) {
        const Checkerboard layout{H, W};
        float* inside = arena.take<float>(layout.size());
        levels_[depth_++] = {layout, inside, arena.take<std::int32_t>(layout.size()), {0, 0}};
        if (std::min(H, W) <= kCoarsestSide) return;
        H = coarser_side(H);
        W = coarser_side(W);
    }
}

void MaskPyramid::set_mask(const std::uint8_t* mask)
{
    for (int depth = 0; depth < depth_; ++depth) {
        Level& level = levels_[depth];
        const Checkerboard& c = level.layout;
        plain_inside(c, mask, depth > 0 ? finer_ : nullptr, depth > 0 ? levels_[depth - 1].layout.W : 0, plain_);
        std::fill_n(level.inside, c.size(), 0.0f);
        for_inner_rows(c, [&](std::int64_t y) {
            for (const int colour : {0, 1}) {
                const CheckerRow row(c, y, colour);
                const float* plain = plain_ + y * c.W + (row.side > 0);
                for (std::int64_t k = row.begin; k < row.end; ++k) level.inside[row.here + k] = plain[2 * k];
            }
        });
        std::swap(plain_, finer_);
        collect_band(level, finer_, plain_);
    }
}

/// Lists inside pixels with an outside one among the 24 about them; least [H,W] is scratch. An entry is twice the
/// place in its colour's plane, plus 1 where the row's `side` is 1.
void MaskPyramid::collect_band(Level& level, const float* inside, float* least)
{
    const Checkerboard& c = level.layout;
    const std::int64_t W = c.W;
    std::fill_n(least, c.H * W, 0.0f);
    for_inner_rows(c, [&](std::int64_t y) { least_of_row(W, inside + y * W, least + y * W); });
    std::int32_t *red = level.band, *black = level.band + c.size();
    for (std::int64_t y = 1; y < c.H - 1; ++y) {
        const bool near_edge = y < 2 || y >= c.H - 2;
        for (std::int64_t x = 1; x < W - 1; ++x) {
            const float* at = least + y * W + x;
            if (inside[y * W + x] == 0) continue;
            if (!near_edge && at[-2 * W] * at[-W] * at[0] * at[W] * at[2 * W] != 0) continue;
            const std::int32_t entry = std::int32_t(2 * (y * c.half() + x / 2) + x % 2);
            ((y + x) % 2 == 0 ? *red++ : *--black) = entry;
        }
    }
    level.counts[0] = red - level.band;
    level.counts[1] = level.band + c.size() - black;
}

Multigrid::Multigrid(const MaskPyramid& mask, Arena& arena) : mask_(mask)
{
    for (int depth = 0; depth < mask.depth(); ++depth) {
        const Checkerboard& c = mask.level(depth).layout;
        float *r = arena.take<float>(c.size()), *z = arena.take<float>(c.size());
        levels_[depth] = {r, z, arena.take<float>(c.plane())};
    }
}

void Multigrid::clear()
{
    for (int depth = 0; depth < mask_.depth(); ++depth) {
        const Checkerboard& c = mask_.level(depth).layout;
        std::fill_n(levels_[depth].r, c.size(), 0.0f);
        std::fill_n(levels_[depth].z, c.size(), 0.0f);
        std::fill_n(levels_[depth].rest, c.plane(), 0.0f);
    }
}

void Multigrid::relax(int depth, int colour)
{
    const Checkerboard& c = mask_.level(depth).layout;
    const float *inside = mask_.level(depth).inside, *r = levels_[depth].r;
    float* z = levels_[depth].z;
    for (std::int64_t y = 1; y < c.H - 1; ++y) {
        const CheckerRow row(c, y, colour);
        relax_row(row, c.half(), inside + row.here, r + row.here, z + row.there, z + row.here);
    }
}

void Multigrid::relax_band(int depth, int colour)
{
    const MaskPyramid::Level& mask = mask_.level(depth);
    const Checkerboard& c = mask.layout;
    const std::int64_t half = c.half(), count = mask.counts[colour];
    const std::int32_t* entries = colour == 0 ? mask.band : mask.band + c.size() - count;
    const float *r = levels_[depth].r + colour * c.plane(), *other = levels_[depth].z + (1 - colour) * c.plane();
    float* z = levels_[depth].z + colour * c.plane();
    for (std::int64_t e = 0; e < count; ++e) {
        const std::int64_t k = entries[e] / 2, side = entries[e] % 2 ? 1 : -1;
        z[k] = 0.25f * ((other[k - half] + other[k + half]) + (other[k] + other[k + side]) + r[k]);
    }
}

void Multigrid::cycle(int depth)
{
    const bool coarsest = depth + 1 == mask_.depth();
    const int band_sweeps = coarsest ? 0 : kBandSweeps, sweeps = coarsest ? kCoarsestSweeps : 1;

    std::fill_n(levels_[depth].z, mask_.level(depth).layout.size(), 0.0f);
    for (int sweep = 0; sweep < band_sweeps; ++sweep)
        for (const int colour : {0, 1}) relax_band(depth, colour);
    for (int sweep = 0; sweep < sweeps; ++sweep)
        for (const int colour : {0, 1}) relax(depth, colour);

    if (!coarsest) correct_from_coarse(depth);

    for (int sweep = 0; sweep < sweeps; ++sweep)
        for (const int colour : {1, 0}) relax(depth, colour);
    for (int sweep = 0; sweep < band_sweeps; ++sweep)
        for (const int colour : {1, 0}) relax_band(depth, colour);
}

/// Corrects the red pixels only: the sweep that follows begins with the black ones, from their red neighbours.
void Multigrid::correct_from_coarse(int depth)
{
    const Checkerboard &fine = mask_.level(depth).layout, &coarse = mask_.level(depth + 1).layout;
    const float *inside = mask_.level(depth).inside, *coarse_inside = mask_.level(depth + 1).inside;
    const auto [r, z, rest] = levels_[depth];
    for (std::int64_t y = 1; y < fine.H - 1; ++y) {
        const CheckerRow row(fine, y, 0);
        residual_row(row, fine.half(), inside + row.here, r + row.here, z + row.there, z + row.here, rest + row.here);
    }
    for (std::int64_t y = 1; y < coarse.H - 1; ++y)
        for (const int colour : {0, 1}) {
            const CheckerRow row(coarse, y, colour);
            restrict_row(row, fine.half(), coarse_inside + row.here, rest + 2 * y * fine.half(),
                         levels_[depth + 1].r + row.here);
        }
    cycle(depth + 1);
    for (std::int64_t y = 1; y < fine.H - 1; ++y) {
        const CheckerRow row(fine, y, 0);
        const float *even = levels_[depth + 1].z + coarse.at(y / 2, 0),
                    *odd = levels_[depth + 1].z + coarse.at(y / 2, 1);
        if (y % 2 == 0) {
            prolong_even_row(row.end, even, odd, inside + row.here, z + row.here);
        } else {
            const float *even_below = levels_[depth + 1].z + coarse.at(y / 2 + 1, 0),
                        *odd_below = levels_[depth + 1].z + coarse.at(y / 2 + 1, 1);
            prolong_odd_row(row.end, even, odd, even_below, odd_below, inside + row.here, z + row.here);
        }
    }
}

} // namespace bifrons::kernels::cpu
