#include "kernels/color/match_cpu.h"

#include "kernels/base/arena.h"
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

// The clones differ in how fast an explicit fma is: every one gives the same bits.
#define BIFRONS_WITH_FMA __attribute__((flatten, target_clones("avx512f", "arch=haswell", "default")))

/// histogram += the pixels of the picture that count, by bin.
BIFRONS_WITH_FMA void count_bins(const Slice& s, std::int64_t n, const float* picture, const float* mask,
                                 std::uint32_t* histogram)
{
    for (std::int64_t i = 0; i < n; ++i)
        if (counts(mask, i)) ++histogram[s.bin_of(s.project(picture + 3 * i))];
}

/// Sets the slice's goals.
void aim_goals(Slice& s, const Pair& p, const float* moved)
{
    std::uint32_t of_x[Slice::kBins] = {}, below[Slice::kBins] = {}, sums[Slice::kBins];
    count_bins(s, p.n, moved, p.mask, of_x);
    count_bins(s, p.n, p.y, p.mask, below);
    std::uint32_t count = 0, sum = 0, rank = 0;
    for (int b = 0; b < Slice::kBins; ++b) {
        sum += below[b] * std::uint32_t(2 * b + 1);
        count += below[b];
        below[b] = count;
        sums[b] = sum;
    }
    for (int b = 0; b < Slice::kBins; ++b) {
        s.goal[b] = goal_of_bin(s, b, rank, rank + of_x[b], below, sums);
        rank += of_x[b];
    }
}

BIFRONS_WITH_FMA void move_pixels(const Slice* slices, Slicing slicing, std::int64_t n, const float* mask, float* moved)
{
    for (std::int64_t i = 0; i < n; ++i)
        if (counts(mask, i)) move_color(slices, slicing, moved + 3 * i);
}

#undef BIFRONS_WITH_FMA

/// moved, which begins as x, goes all rounds.
void transport(const MatchShape& s, const Pair& p, const Rng& random, Slice* slices, float* moved)
{
    const Slicing slicing = slicing_of(s.kind);
    for (int round = 0; round < slicing.rounds; ++round) {
        for (int k = 0; k < slicing.directions; ++k) {
            float direction[3];
            draw_direction(random, s.kind, round, k, direction);
            slices[k].aim(direction);
            aim_goals(slices[k], p, moved);
        }
        move_pixels(slices, slicing, p.n, p.mask, moved);
    }
}

/// out = x + the smooth part of moved - x.
void smooth(const MatchShape& s, const Pair& p, const float* moved, float* planes, float* scratch)
{
    for (std::int64_t i = 0; i < p.n; ++i) {
        const float weight = counts(p.mask, i) ? 1.0f : 0.0f;
        for (int c = 0; c < 3; ++c) planes[4 * i + c] = weight * (moved[3 * i + c] - p.x[3 * i + c]);
        planes[4 * i + 3] = weight;
    }
    gaussian_blur(match_blur(s, 4), planes, planes, scratch);
    for (std::int64_t i = 0; i < p.n; ++i) smoothed_pixel(p.x + 3 * i, planes + 4 * i, p.out + 3 * i);
}

} // namespace

void color_match(const MatchShape& s, const float* x, const float* y, const float* mask, const StepState* state,
                 float* out, Workspace workspace)
{
    const std::int64_t n = s.pixels();
    Arena arena(workspace.data);
    auto* slices = arena.take<Slice>(kMostDirections * s.N);
    float *moved = arena.take<float>(3 * n * s.N), *planes = arena.take<float>(4 * n * s.N),
          *scratch = arena.take<float>(4 * n * s.N);
    const auto match_pair = [&](std::int64_t k) {
        const Pair p{n, x + 3 * n * k, y + 3 * n * k, mask ? mask + n * k : nullptr, out + 3 * n * k};
        if (s.kind != ColorMatch::idt && s.kind != ColorMatch::sot) return match_moments(s.kind, p);
        const Rng random(state ? state->seed : 0, state ? state->step : 0, std::uint64_t(s.first + k), s.purpose);
        float* const own = moved + 3 * n * k;
        std::copy_n(p.x, 3 * n, own);
        transport(s, p, random, slices + kMostDirections * k, own);
        if (s.kind == ColorMatch::sot) return smooth(s, p, own, planes + 4 * n * k, scratch + 4 * n * k);
        for (std::int64_t i = 0; i < 3 * n; ++i) p.out[i] = std::clamp(own[i], 0.0f, 1.0f);
    };
    parallel_for(s.N, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t k = begin; k < end; ++k) match_pair(k);
    });
}

} // namespace bifrons::kernels::cpu
