// kernels/color/slice.h - optimal transport of colours along one direction, by counting: see match.h. Host and device.
// All arithmetic is whole numbers, explicit fma and division: the same bits everywhere.
#pragma once

#include "kernels/base/clamp.h"
#include "kernels/base/rng.h"
#include "kernels/color/gaussian_blur.h"
#include "kernels/color/match.h"

namespace bifrons::kernels {

/// How idt and sot go: `rounds` times along `directions` at once, each `step` of its way.
struct Slicing {
    int rounds, directions;
    float step;
};
BIFRONS_HD inline Slicing slicing_of(ColorMatch kind)
{
    return kind == ColorMatch::idt ? Slicing{20, 3, 1.0f / 20} : Slicing{10, 5, 1.0f / 5};
}
constexpr int kMostDirections = 5;

/// A direction, and where the colours of each of its bins go.
struct Slice {
    static constexpr int kBins = 2048;
    float direction[3], low, bins_a_unit; ///< a colour's projection p lies in bin (p - low) bins_a_unit
    float goal[kBins];                    ///< projections

    BIFRONS_HD float project(const float* v) const
    {
        return std::fma(direction[2], v[2], std::fma(direction[1], v[1], direction[0] * v[0]));
    }
    BIFRONS_HD int bin_of(float p) const { return clamp(int((p - low) * bins_a_unit), 0, kBins - 1); }

    /// Unit vector v; bins over what the unit cube's projections can be.
    BIFRONS_HD void aim(const float* v)
    {
        low = 0;
        float high = 0;
        for (int c = 0; c < 3; ++c) {
            direction[c] = v[c];
            (v[c] < 0 ? low : high) += v[c];
        }
        bins_a_unit = float(kBins) / (high - low);
    }
};

/// v / |v|
BIFRONS_HD inline void normalise(float* v)
{
    const float length = std::sqrt(std::fma(v[2], v[2], std::fma(v[1], v[1], v[0] * v[0])));
    for (int c = 0; c < 3; ++c) v[c] = length > 0 ? v[c] / length : float(c == 0);
}

/// a -= (a . b) b
BIFRONS_HD inline void make_orthogonal(float* a, const float* b)
{
    const float dot = std::fma(a[2], b[2], std::fma(a[1], b[1], a[0] * b[0]));
    for (int c = 0; c < 3; ++c) a[c] = std::fma(-dot, b[c], a[c]);
}

/// Direction `which` of a round: for sot uniform on the sphere, for idt an axis of a uniform rotation: a normal
/// vector's, what another one's has across it, and their cross product.
BIFRONS_HD inline void draw_direction(Rng rng, ColorMatch kind, int round, int which, float* v)
{
    const bool rotation = kind == ColorMatch::idt;
    rng.skip(std::uint32_t(6 * (round * slicing_of(kind).directions + (rotation ? 0 : which))));
    for (int c = 0; c < 3; ++c) v[c] = rng.normal();
    normalise(v);
    if (!rotation || which == 0) return;
    float a[3] = {v[0], v[1], v[2]}, b[3];
    for (int c = 0; c < 3; ++c) b[c] = rng.normal();
    make_orthogonal(b, a);
    normalise(b);
    const float cross[3] = {std::fma(a[1], b[2], -(a[2] * b[1])), std::fma(a[2], b[0], -(a[0] * b[2])),
                            std::fma(a[0], b[1], -(a[1] * b[0]))};
    for (int c = 0; c < 3; ++c) v[c] = which == 1 ? b[c] : cross[c];
}

/// Sum of the `rank` smallest projections of y, in half bins: y's bins below `bin` hold `before` of them and sum up to
/// `sum`, and rank lies in it.
BIFRONS_HD inline std::uint32_t sum_of_smallest(std::uint32_t rank, std::uint32_t before, std::uint32_t sum, int bin)
{
    return sum + (rank - before) * std::uint32_t(2 * bin + 1);
}

/// The same from inclusive sums over y's bins: below[b] counts, sums[b] half bins.
BIFRONS_HD inline std::uint32_t sum_of_smallest(std::uint32_t rank, const std::uint32_t* below,
                                                const std::uint32_t* sums)
{
    int bin = 0; // the first with below[bin] >= rank
    for (int step = Slice::kBins / 2; step > 0; step /= 2)
        if (below[bin + step - 1] < rank) bin += step;
    return sum_of_smallest(rank, bin > 0 ? below[bin - 1] : 0, bin > 0 ? sums[bin - 1] : 0, bin);
}

/// Where the colours of bin b go, of which there are `count`: the mean of as many of y's projections, which sum up to
/// `half_bins`. Empty bins keep their middle.
BIFRONS_HD inline float goal_of_bin(const Slice& s, int b, std::uint32_t count, std::uint32_t half_bins)
{
    const float middle = float(count > 0 ? half_bins : std::uint32_t(2 * b + 1)) / float(count > 0 ? count : 1);
    return std::fma(middle, 0.5f / s.bins_a_unit, s.low);
}

/// The same for x's from rank `first` to rank `last`, in the same number of pixels.
BIFRONS_HD inline float goal_of_bin(const Slice& s, int b, std::uint32_t first, std::uint32_t last,
                                    const std::uint32_t* below, const std::uint32_t* sums)
{
    return goal_of_bin(s, b, last - first, sum_of_smallest(last, below, sums) - sum_of_smallest(first, below, sums));
}

/// One round's move of a colour.
BIFRONS_HD inline void move_color(const Slice* slices, Slicing slicing, float* v)
{
    float way[3] = {};
    for (int k = 0; k < slicing.directions; ++k) {
        const Slice& s = slices[k];
        const float p = s.project(v), far = s.goal[s.bin_of(p)] - p;
        for (int c = 0; c < 3; ++c) way[c] = std::fma(far, s.direction[c], way[c]);
    }
    for (int c = 0; c < 3; ++c) v[c] = std::fma(slicing.step, way[c], v[c]);
}

/// What smooths the way that sot has gone.
inline BlurShape match_blur(const MatchShape& s, std::int64_t channels)
{
    return {s.H, s.W, channels, largest(0.1f, float(s.H) / 16)};
}

/// out = x + the smoothed way, which is blurred [4]: weighted way and weight.
BIFRONS_HD inline void smoothed_pixel(const float* x, const float* blurred, float* out)
{
    for (int c = 0; c < 3; ++c) {
        const float way = blurred[3] > 0 ? blurred[c] / blurred[3] : 0.0f;
        out[c] = clamp(x[c] + way, 0.0f, 1.0f);
    }
}

} // namespace bifrons::kernels
