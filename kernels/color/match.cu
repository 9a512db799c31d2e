// kernels/color/match.cu - colour transfers. rct, lct, mkl: sums in f64 by one block a picture, one thread a map, one
// thread a pixel. idt, sot: a round is one block a direction, which counts in shared memory, and one thread a pixel.
// Limit: arithmetic (lab); the first-level cache (counting).
#include "kernels/color/match.h"

#include "kernels/base/arena.h"
#include "kernels/color/color_map.h"
#include "kernels/color/color_ref.h"
#include "kernels/color/slice.h"
#include "kernels/device/simt.h"

#include "kernels/color/blur.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

struct Pictures {
    std::int64_t n; // pixels of one
    const float *x, *y, *mask;

    __device__ bool counts(std::int64_t i) const { return !mask || mask[i] > 0.5f; }
};

// ---- maps from moments ----------------------------------------------------------------------------------------------

/// moments[2 n + which] of picture x (0) or y (1) of pair n = blockIdx.x; which = blockIdx.y.
__global__ void __launch_bounds__(kBlockSize) moments_kernel(Pictures p, bool in_lab, ColorMoments* moments)
{
    wait_for_previous_kernel();
    const std::int64_t first = std::int64_t(blockIdx.x) * p.n;
    const float* picture = (blockIdx.y == 0 ? p.x : p.y) + 3 * first;
    ColorMoments mine;
    for (std::int64_t i = threadIdx.x; i < p.n; i += blockDim.x) {
        float v[3] = {picture[3 * i], picture[3 * i + 1], picture[3 * i + 2]};
        if (in_lab) pixel_to_lab(picture + 3 * i, v);
        mine.add(p.mask ? double(p.mask[first + i]) : 1.0, v);
    }
    mine.weight = block_sum(mine.weight);
#pragma unroll
    for (double& sum : mine.first) sum = block_sum(sum);
#pragma unroll
    for (double& sum : mine.second) sum = block_sum(sum);
    if (threadIdx.x == 0) moments[2 * blockIdx.x + blockIdx.y] = mine;
}

__global__ void __launch_bounds__(kBlockSize)
    maps_kernel(int pairs, bool mkl, const ColorMoments* moments, ColorMap* maps)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread();
    if (i < pairs) maps[i] = color_map(mkl, moments[2 * i], moments[2 * i + 1]);
}

// x may be out.
__global__ void __launch_bounds__(kBlockSize)
    map_pixels_kernel(std::int64_t all, std::int64_t n, const ColorMap* maps, const float* x, float* out)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread();
    if (i >= all) return;
    const float v[3] = {x[3 * i], x[3 * i + 1], x[3 * i + 2]};
    maps[i / n](v, out + 3 * i);
}

// x may be out.
__global__ void __launch_bounds__(kBlockSize)
    rct_pixels_kernel(std::int64_t all, std::int64_t n, const ColorMoments* moments, const float* x, float* out)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread();
    if (i >= all) return;
    float of_x[6], of_y[6], scale[3], shift[3], lab[3];
    means_and_deviations(moments[2 * (i / n)], of_x);
    means_and_deviations(moments[2 * (i / n) + 1], of_y);
    ref::transfer_line(of_x, of_y, scale, shift);
    pixel_to_lab(x + 3 * i, lab);
    ref::transfer_pixel(x + 3 * i, lab, scale, shift, moments[2 * (i / n)].weight > 0 ? 1.0f : 0.0f, out + 3 * i);
}

void match_moments(Exec ex, const MatchShape& s, const Pictures& p, float* out)
{
    Arena arena(ex.workspace.data);
    auto* moments = arena.take<ColorMoments>(2 * s.N);
    auto* maps = arena.take<ColorMap>(s.N);
    const std::int64_t all = s.N * p.n;
    const bool rct = s.kind == ColorMatch::rct;
    launch("color_match", moments_kernel, Grid{.blocks = {unsigned(s.N), 2}, .threads = {kBlockSize}}, ex, p, rct,
           moments);
    if (rct) return launch("color_match", rct_pixels_kernel, grid_1d(all), ex, all, p.n, moments, p.x, out);
    launch("color_match", maps_kernel, grid_1d(s.N), ex, int(s.N), s.kind == ColorMatch::mkl, moments, maps);
    launch("color_match", map_pixels_kernel, grid_1d(all), ex, all, p.n, maps, p.x, out);
}

// ---- transport along directions -------------------------------------------------------------------------------------

using Bins = std::uint32_t[Slice::kBins];
constexpr int kBinsOfThread = Slice::kBins / int(kBlockSize);

/// v[i] = sum of v[0 .. i], by all threads of the block.
__device__ void add_up(Bins& v)
{
    using Sums = std::uint32_t[kBlockSize];
    SHARED(Sums, sums);
    const int begin = int(threadIdx.x) * kBinsOfThread;
    for (int i = 1; i < kBinsOfThread; ++i) v[begin + i] += v[begin + i - 1];
    sums[threadIdx.x] = v[begin + kBinsOfThread - 1];
    for (unsigned distance = 1; distance < kBlockSize; distance *= 2) {
        __syncthreads();
        const std::uint32_t before = threadIdx.x >= distance ? sums[threadIdx.x - distance] : 0;
        __syncthreads();
        sums[threadIdx.x] += before;
    }
    __syncthreads();
    const std::uint32_t before = threadIdx.x > 0 ? sums[threadIdx.x - 1] : 0;
    for (int i = 0; i < kBinsOfThread; ++i) v[begin + i] += before;
    __syncthreads();
}

/// bins = how many pixels of the picture that count lie in each.
__device__ void count_bins(const Slice& s, const Pictures& p, std::int64_t first, const float* picture, Bins& bins)
{
    for (unsigned b = threadIdx.x; b < Slice::kBins; b += kBlockSize) bins[b] = 0;
    __syncthreads();
    for (std::int64_t i = first + threadIdx.x; i < first + p.n; i += kBlockSize)
        if (p.counts(i)) atomicAdd(&bins[s.bin_of(s.project(picture + 3 * i))], 1u);
    __syncthreads();
}

/// Direction blockIdx.y of pair blockIdx.x: where its bins go.
__global__ void __launch_bounds__(kBlockSize)
    slices_kernel(MatchShape shape, Pictures p, const StepState* state, int round, const float* moved, Slice* slices)
{
    wait_for_previous_kernel();
    SHARED(Bins, ranks);
    SHARED(Bins, below);
    SHARED(Bins, sums);
    const std::int64_t pair = blockIdx.x, first = pair * p.n;
    Slice& slice = slices[pair * gridDim.y + blockIdx.y];
    if (threadIdx.x == 0) {
        float direction[3];
        draw_direction(
            Rng(state ? state->seed : 0, state ? state->step : 0, std::uint64_t(shape.first + pair), shape.purpose),
            shape.kind, round, int(blockIdx.y), direction);
        slice.aim(direction);
    }
    __syncthreads();
    count_bins(slice, p, first, moved, ranks);
    count_bins(slice, p, first, p.y, below);
    for (unsigned b = threadIdx.x; b < Slice::kBins; b += kBlockSize) sums[b] = below[b] * (2 * b + 1);
    __syncthreads();
    add_up(ranks);
    add_up(below);
    add_up(sums);
    for (int b = int(threadIdx.x); b < Slice::kBins; b += int(kBlockSize))
        slice.goal[b] = goal_of_bin(slice, b, b > 0 ? ranks[b - 1] : 0, ranks[b], below, sums);
}

__global__ void __launch_bounds__(kBlockSize)
    move_kernel(std::int64_t all, Pictures p, Slicing slicing, const Slice* slices, float* moved)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread();
    if (i < all && p.counts(i)) move_color(slices + i / p.n * slicing.directions, slicing, moved + 3 * i);
}

// x may be out.
__global__ void __launch_bounds__(kBlockSize) clip_kernel(std::int64_t n, const float* moved, float* out)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread();
    if (i < n) out[i] = clamp(moved[i], 0.0f, 1.0f);
}

__global__ void __launch_bounds__(kBlockSize)
    way_kernel(std::int64_t all, Pictures p, const float* moved, float* planes)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread();
    if (i >= all) return;
    const float weight = p.counts(i) ? 1.0f : 0.0f;
    for (int c = 0; c < 3; ++c) planes[4 * i + c] = weight * (moved[3 * i + c] - p.x[3 * i + c]);
    planes[4 * i + 3] = weight;
}

// x may be out.
__global__ void __launch_bounds__(kBlockSize)
    smooth_kernel(std::int64_t all, const float* x, const float* planes, float* out)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread();
    if (i < all) smoothed_pixel(x + 3 * i, planes + 4 * i, out + 3 * i);
}

void match_slices(Exec ex, const MatchShape& s, const Pictures& p, const StepState* state, float* out)
{
    constexpr int kMostRadius = 1024;
    const std::int64_t all = s.N * p.n;
    const Slicing slicing = slicing_of(s.kind);
    Arena arena(ex.workspace.data);
    auto* slices = arena.take<Slice>(kMostDirections * s.N);
    auto* moved = arena.take<float>(3 * all);
    auto *planes = arena.take<float>(4 * all), *scratch = arena.take<float>(4 * all);
    ex.device->copy(ex.stream, moved, p.x, std::size_t(3 * all) * sizeof(float));
    for (int round = 0; round < slicing.rounds; ++round) {
        const Grid grid{.blocks = {unsigned(s.N), unsigned(slicing.directions)}, .threads = {kBlockSize}};
        launch("color_match", slices_kernel, grid, ex, s, p, state, round, moved, slices);
        launch("color_match", move_kernel, grid_1d(all), ex, all, p, slicing, slices, moved);
    }
    if (s.kind == ColorMatch::idt) return launch("color_match", clip_kernel, grid_1d(3 * all), ex, 3 * all, moved, out);
    launch("color_match", way_kernel, grid_1d(all), ex, all, p, moved, planes);
    const BlurShape low = match_blur(s, 4);
    BIFRONS_CHECK(shape, low.radius() <= kMostRadius, "color_match: sot of ", s.H, " rows; expected at most 5461");
    blur<kMostRadius>("color_match", ex, 4 * all, s.H, s.W, 4, {low.sigma, low.radius()}, planes, scratch, planes,
                      StoreBlurred{});
    launch("color_match", smooth_kernel, grid_1d(all), ex, all, p.x, planes, out);
}

} // namespace

void run(Exec ex, const MatchColors& op)
{
    const MatchShape& s = op.s;
    const Pictures p{s.pixels(), op.x.as<float>(), op.y.as<float>(), op.mask.as<float>()};
    if (s.kind == ColorMatch::idt || s.kind == ColorMatch::sot)
        return match_slices(ex, s, p, op.state, op.out.as<float>());
    match_moments(ex, s, p, op.out.as<float>());
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
