#include "kernels/color/match.h"

#include "kernels/base/arena.h"
#include "kernels/base/clones.h"
#include "kernels/base/parallel.h"
#include "kernels/color/color_map.h"
#include "kernels/color/color_ref.h"
#include "kernels/color/slice.h"

#include <algorithm>

namespace bifrons::kernels::cpu {

namespace {

/// One pair of pictures: its work is serial, the pairs of a batch share the threads.
struct Pair {
    std::int64_t n;
    const float *x, *y, *mask;
    float* out;
};

double weight_of(const Pair& p, std::int64_t i)
{
    return p.mask ? double(p.mask[i]) : 1;
}

ColorMoments moments_of(const Pair& p, const float* picture, bool in_lab)
{
    ColorMoments moments;
    for (std::int64_t i = 0; i < p.n; ++i) {
        float lab[3];
        if (in_lab) pixel_to_lab(picture + 3 * i, lab);
        moments.add(weight_of(p, i), in_lab ? lab : picture + 3 * i);
    }
    return moments;
}

void match_moments(ColorMatch kind, const Pair& p)
{
    const bool rct = kind == ColorMatch::rct;
    const ColorMoments from = moments_of(p, p.x, rct), to = moments_of(p, p.y, rct);
    if (!rct) {
        const ColorMap map = color_map(kind == ColorMatch::mkl, from, to);
        for (std::int64_t i = 0; i < p.n; ++i) map(p.x + 3 * i, p.out + 3 * i);
        return;
    }
    float of_x[6], of_y[6], scale[3], shift[3];
    means_and_deviations(from, of_x);
    means_and_deviations(to, of_y);
    ref::transfer_line(of_x, of_y, scale, shift);
    const float strength = from.weight > 0 ? 1.0f : 0.0f;
    for (std::int64_t i = 0; i < p.n; ++i) {
        float lab[3];
        pixel_to_lab(p.x + 3 * i, lab);
        ref::transfer_pixel(p.x + 3 * i, lab, scale, shift, strength, p.out + 3 * i);
    }
}

bool counts(const float* mask, std::int64_t i)
{
    return !mask || mask[i] > 0.5f;
}

/// The colours that count, channel by channel.
struct Colors {
    std::int64_t n;
    float* of[3];
};

Colors gathered(std::int64_t n, const float* picture, const float* mask, float* memory)
{
    Colors colors{0, {memory, memory + n, memory + 2 * n}};
    for (std::int64_t i = 0; i < n; ++i) {
        if (!counts(mask, i)) continue;
        for (int c = 0; c < 3; ++c) colors.of[c][colors.n] = picture[3 * i + c];
        ++colors.n;
    }
    return colors;
}

constexpr std::int64_t kBlock = 512; // colours whose bins are known at once

/// histogram += the colours, by bin.
__attribute__((flatten)) BIFRONS_CLONES void count_bins(const Slice& s, const Colors& colors, std::uint32_t* histogram)
{
    for (std::int64_t begin = 0; begin < colors.n; begin += kBlock) {
        const std::int64_t count = std::min(kBlock, colors.n - begin);
        const float *const r = colors.of[0] + begin, *const g = colors.of[1] + begin, *const b = colors.of[2] + begin;
        std::int32_t bins[kBlock];
        for (std::int64_t i = 0; i < count; ++i) {
            const float v[3] = {r[i], g[i], b[i]};
            bins[i] = s.bin_of(s.project(v));
        }
        for (std::int64_t i = 0; i < count; ++i) ++histogram[bins[i]];
    }
}

/// Sets the slice's goals. The ranks of x's bins only grow, and y's bins are walked beside them.
__attribute__((flatten)) BIFRONS_CLONES void aim_goals(Slice& s, const Colors& x, const Colors& y)
{
    std::uint32_t of_x[Slice::kBins] = {}, of_y[Slice::kBins] = {}, half_bins[Slice::kBins];
    count_bins(s, x, of_x);
    count_bins(s, y, of_y);
    std::uint32_t rank = 0, before = 0, sum = 0, so_far = 0;
    int bin = 0; // of y, in which the rank lies; before and sum: those below it
    for (int b = 0; b < Slice::kBins; ++b) {
        rank += of_x[b];
        for (; before + of_y[bin] < rank; ++bin) {
            before += of_y[bin];
            sum += of_y[bin] * std::uint32_t(2 * bin + 1);
        }
        const std::uint32_t up_to_here = sum_of_smallest(rank, before, sum, bin);
        half_bins[b] = up_to_here - so_far;
        so_far = up_to_here;
    }
    for (int b = 0; b < Slice::kBins; ++b) s.goal[b] = goal_of_bin(s, b, of_x[b], half_bins[b]);
}

/// One round's move of all colours: move_color for many at once, direction by direction.
__attribute__((flatten)) BIFRONS_CLONES void move_colors(const Slice* slices, Slicing slicing, const Colors& colors)
{
    for (std::int64_t begin = 0; begin < colors.n; begin += kBlock) {
        const std::int64_t count = std::min(kBlock, colors.n - begin);
        float *const r = colors.of[0] + begin, *const g = colors.of[1] + begin, *const b = colors.of[2] + begin;
        float way[3][kBlock] = {};
        for (int k = 0; k < slicing.directions; ++k) {
            const Slice& s = slices[k];
            for (std::int64_t i = 0; i < count; ++i) {
                const float v[3] = {r[i], g[i], b[i]};
                const float p = s.project(v), far = s.goal[s.bin_of(p)] - p;
                way[0][i] = std::fma(far, s.direction[0], way[0][i]);
                way[1][i] = std::fma(far, s.direction[1], way[1][i]);
                way[2][i] = std::fma(far, s.direction[2], way[2][i]);
            }
        }
        for (int c = 0; c < 3; ++c)
            for (std::int64_t i = 0; i < count; ++i)
                colors.of[c][begin + i] = std::fma(slicing.step, way[c][i], colors.of[c][begin + i]);
    }
}

/// x goes all rounds.
void transport(const MatchShape& s, const Rng& random, Slice* slices, const Colors& x, const Colors& y)
{
    const Slicing slicing = slicing_of(s.kind);
    for (int round = 0; round < slicing.rounds; ++round) {
        for (int k = 0; k < slicing.directions; ++k) {
            float direction[3];
            draw_direction(random, s.kind, round, k, direction);
            slices[k].aim(direction);
            aim_goals(slices[k], x, y);
        }
        move_colors(slices, slicing, x);
    }
}

/// out = x where colours do not count, else moved's.
void spread(const Pair& p, const Colors& moved)
{
    std::int64_t at = 0;
    for (std::int64_t i = 0; i < p.n; ++i) {
        const bool counted = counts(p.mask, i);
        for (int c = 0; c < 3; ++c)
            p.out[3 * i + c] = std::clamp(counted ? moved.of[c][at] : p.x[3 * i + c], 0.0f, 1.0f);
        at += counted;
    }
}

/// out = x + the smooth part of moved - x.
void smooth(const MatchShape& s, const Pair& p, const Colors& moved, float* planes, float* scratch)
{
    std::int64_t at = 0;
    for (std::int64_t i = 0; i < p.n; ++i) {
        const bool counted = counts(p.mask, i);
        for (int c = 0; c < 3; ++c) planes[4 * i + c] = counted ? moved.of[c][at] - p.x[3 * i + c] : 0.0f;
        planes[4 * i + 3] = counted ? 1.0f : 0.0f;
        at += counted;
    }
    gaussian_blur(match_blur(s, 4), planes, planes, scratch);
    for (std::int64_t i = 0; i < p.n; ++i) smoothed_pixel(p.x + 3 * i, planes + 4 * i, p.out + 3 * i);
}

} // namespace

void run(Exec ex, const MatchColors& op)
{
    const MatchShape& s = op.s;
    const float *x = op.x.as<float>(), *y = op.y.as<float>(), *mask = op.mask.as<float>();
    float* out = op.out.as<float>();
    const std::int64_t n = s.pixels();
    Arena arena(ex.workspace.data);
    auto* slices = arena.take<Slice>(kMostDirections * s.N);
    float *moved = arena.take<float>(3 * n * s.N), *planes = arena.take<float>(4 * n * s.N),
          *scratch = arena.take<float>(4 * n * s.N);
    const auto match_pair = [&](std::int64_t k) {
        const Pair p{n, x + 3 * n * k, y + 3 * n * k, mask ? mask + n * k : nullptr, out + 3 * n * k};
        if (s.kind != ColorMatch::idt && s.kind != ColorMatch::sot) return match_moments(s.kind, p);
        float *const own = planes + 4 * n * k, *const spare = scratch + 4 * n * k;
        const Colors from = gathered(n, p.x, p.mask, moved + 3 * n * k), to = gathered(n, p.y, p.mask, spare);
        const Rng random(op.state ? op.state->seed : 0, op.state ? op.state->step : 0, std::uint64_t(s.first + k),
                         s.purpose);
        transport(s, random, slices + kMostDirections * k, from, to);
        s.kind == ColorMatch::sot ? smooth(s, p, from, own, spare) : spread(p, from);
    };
    parallel_for(s.N, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t k = begin; k < end; ++k) match_pair(k);
    });
}

} // namespace bifrons::kernels::cpu
