// kernels/conv2d/conv2d_few_channels.cu - method `few_channels`. Limit: memory bandwidth for wide; the thin picture and
// the filters are small.
#include "kernels/conv2d/conv2d_few_channels.h"

#include "kernels/conv2d/few_channels_tile.h"
#include "kernels/conv2d/igemm.cuh"
#include "kernels/device/storage.h"
#include "kernels/pointwise/store.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

constexpr int kWarps = 4, kThreads = kWarps * 32;
static_assert(kWarps == kThinRows);

/// i / n for small numbers, by the reciprocal of n.
struct SmallDivisor {
    __device__ explicit SmallDivisor(int divisor) : n(divisor), reciprocal(1.0f / float(divisor)) {}
    __device__ int quotient(int i) const { return int((float(i) + 0.5f) * reciprocal); }
    int n;
    float reciprocal;
};

/// A tile of wide's pixels.
struct TilePlace {
    __device__ TilePlace(const ThinTile& t, int tile)
        : n(tile / t.across / t.down), a(tile / t.across % t.down * kThinRows), b(tile % t.across * kThinColumns)
    {
    }
    int n, a, b;
};

/// The part of thin that a tile's windows see, zero outside of the picture.
__device__ void load_patch(bf16 (&patch)[kThinPatch], const ThinConv& c, const ThinTile& t, const TilePlace& at,
                           const bf16* thin)
{
    const SmallDivisor row_of(t.patch_row);
    const int first_row = at.a * c.scale + c.h, first_element = (at.b * c.scale + c.v) * c.C;
    for (int i = int(threadIdx.x); i < t.patch_rows * t.patch_row; i += kThreads) {
        const int row = row_of.quotient(i), h = first_row + row, element = first_element + i - row * t.patch_row;
        const bool inside = unsigned(h) < unsigned(c.H) && unsigned(element) < unsigned(c.W * c.C);
        patch[i] = inside ? thin[(at.n * c.H + h) * (c.W * c.C) + element] : bf16{0};
    }
}

/// Where w holds what wide's channel k and element (r, s * C + c) of the window multiply.
__device__ int filter_index(const ThinConv& c, int k, int r, int element)
{
    if (!c.mirrored) return (k * c.R + r) * c.S * c.C + element;
    const int s = element / c.C, channel = element % c.C;
    return ((channel * c.R + c.R - 1 - r) * c.S + c.S - 1 - s) * c.K + k;
}

__device__ std::uint32_t pair_of(bf16 low, bf16 high)
{
    return low.bits | std::uint32_t(high.bits) << 16;
}

// ---- windows times filters ---------------------------------------------------------------------------------------

/// What emit needs to know: a warp's row of 32 pixels by 64 channels.
struct PixelTile {
    static constexpr int kWarpRows = kThinColumns, kWarpColumns = kThinChannels, kColumns = kThinChannels;
};

struct WindowsShared {
    static constexpr int kPitch = kThinDepth + 8; // 16 bytes on: the rows that ldmatrix reads lie in different banks
    bf16 filters[kThinChannels * kPitch];         // [channel][depth]
    bf16 patch[kThinPatch];
    Strip<PixelTile> strips[kWarps];
};

template <class Out>
struct WidePixels {
    static constexpr int kRun = Out::kRun;

    template <int n>
    __device__ void operator()(int row, int column, float (&v)[n]) const
    {
        const int a = first_a + row / kThinColumns, b = first_b + row % kThinColumns, k = first_k + column;
        if (a < A && b < B && k < K) out.store((image * A + a) * B + b, k, v);
    }
    Out out;
    int A, B, K;
    bool whole_runs;
    int image = 0, first_a = 0, first_b = 0, first_k = 0; // the tile's
};

template <class Y>
struct ToEpilogue {
    static constexpr int kRun = 16 / int(sizeof(Y));
    template <int n>
    __device__ void store(int pixel, int k, float (&v)[n]) const
    {
        y.store(pixel, k, v);
    }
    EpilogueStore<Y> y;
};

struct ToGradient {
    static constexpr int kRun = 8;
    template <int n>
    __device__ void store(int pixel, int k, float (&v)[n]) const
    {
        dx.store(std::int64_t(pixel) * dx_channels + k, v);
    }
    GradientOrValueStore<bf16> dx;
    int dx_channels;
};

__device__ void load_filters(WindowsShared& shared, const ThinConv& c, const ThinTile& t, int first_k, const bf16* w)
{
    const SmallDivisor filter(t.depth), row(t.row_depth);
    for (int i = int(threadIdx.x); i < kThinChannels * t.depth; i += kThreads) {
        const int k = filter.quotient(i), depth = i - k * t.depth;
        const int r = row.quotient(depth), element = depth - r * t.row_depth;
        const bool there = first_k + k < c.K && element < t.row_elements;
        shared.filters[k * WindowsShared::kPitch + depth] =
            there ? w[filter_index(c, first_k + k, r, element)] : bf16{0};
    }
}

/// mma's a: 16 pixels from `pixel` on of the warp's row, 16 elements from `element` on of row r of their windows.
__device__ void load_windows(std::uint32_t (&a)[4], const WindowsShared& shared, const ThinConv& c, const ThinTile& t,
                             int pixel, int r, int element)
{
    const int lane = int(threadIdx.x) % 32, row = (int(threadIdx.x) / 32 * c.scale + r) * t.patch_row;
#pragma unroll
    for (int part = 0; part < 4; ++part) {
        const int e = element + lane % 4 * 2 + part / 2 * 8;
        const bf16* window = shared.patch + row + (pixel + lane / 4 + part % 2 * 8) * c.scale * c.C;
        a[part] = pair_of(e < t.row_elements ? window[e] : bf16{0}, e + 1 < t.row_elements ? window[e + 1] : bf16{0});
    }
}

/// Each block keeps the filters of its 64 channels and goes through every gridDim.x-th tile.
template <class Out>
__global__ void __launch_bounds__(kThreads, 3)
    windows_kernel(ThinConv c, const bf16* thin, const bf16* w, WidePixels<Out> out)
{
    wait_for_previous_kernel();
    WindowsShared& shared = dyn_shared<WindowsShared>();
    const ThinTile t(c);
    const int lane = int(threadIdx.x) % 32;
    out.first_k = int(blockIdx.y) * kThinChannels;
    load_filters(shared, c, t, out.first_k, w);
    for (int tile = int(blockIdx.x); tile < t.tiles; tile += int(gridDim.x)) {
        const TilePlace at(t, tile);
        __syncthreads(); // the patch before this one has been read
        load_patch(shared.patch, c, t, at, thin);
        __syncthreads();
        Sums<PixelTile> sums;
        for (int depth = 0, r = 0, element = 0; depth < t.depth; depth += 16) {
            std::uint32_t a[2][4];
#pragma unroll
            for (int m = 0; m < 2; ++m) load_windows(a[m], shared, c, t, m * 16, r, element);
#pragma unroll
            for (int n = 0; n < kThinChannels / 16; ++n) {
                std::uint32_t b[4];
                const int channel = n * 16 + lane / 16 * 8 + lane % 8;
                ldmatrix_x4(b, shared.filters + channel * WindowsShared::kPitch + depth + lane / 8 % 2 * 8);
#pragma unroll
                for (int half = 0; half < 2; ++half) {
                    const std::uint32_t column[2] = {b[half * 2], b[half * 2 + 1]};
#pragma unroll
                    for (int m = 0; m < 2; ++m) mma_bf16(sums.d[m][n * 2 + half], a[m], column);
                }
            }
            if ((element += 16) == t.row_depth) element = 0, ++r;
        }
        out.image = at.n, out.first_a = at.a, out.first_b = at.b;
        emit(sums, shared, out);
    }
}

template <class Out>
void launch_windows(const char* name, const Exec& ex, const ThinConv& c, ConstView thin, ConstView w, const Out& out,
                    bool whole_runs)
{
    const unsigned blocks = unsigned(std::min(ThinTile(c).tiles, 4 * multiprocessors(ex.device->target())));
    const Grid grid{.blocks = {blocks, unsigned((c.K + kThinChannels - 1) / kThinChannels)},
                    .threads = {kThreads},
                    .smem = sizeof(WindowsShared)};
    launch(name, windows_kernel<Out>, grid, ex, c, thin.as<bf16>(), w.as<bf16>(),
           WidePixels<Out>{out, c.A, c.B, c.K, whole_runs});
}

// ---- filter gradient ---------------------------------------------------------------------------------------------

using WideTile = OperandTile<bf16, Major::side, kThinChannels>; // 32 pixels by 64 channels
static_assert(WideTile::kRows == kThinColumns);

struct FilterShared {
    WideTile wide[kThinRows];
    bf16 patch[kThinPatch];
};

/// The tile's pixels of wide, zero outside of it; the copies may still be under way.
__device__ void load_wide(FilterShared& shared, const ThinConv& c, const TilePlace& at, int first_k, const bf16* wide)
{
    constexpr int kChunks = WideTile::kChunks;
    const int chunk = int(threadIdx.x) % kChunks, k = first_k + chunk * 8;
    for (int pixel = int(threadIdx.x) / kChunks; pixel < kThinRows * kThinColumns; pixel += kThreads / kChunks) {
        const int row = pixel / kThinColumns, column = pixel % kThinColumns, a = at.a + row, b = at.b + column;
        const bool inside = a < c.A && b < c.B;
        const bf16* from = wide + (inside ? ((at.n * c.A + a) * c.B + b) * c.K : 0);
        unsigned char* to = shared.wide[row].at(column, chunk * 16);
        if (c.K % 8 == 0)
            cp_async<16>(to, k < c.K ? from + k : wide, inside && k < c.K);
        else
            for (int i = 0; i < 8; ++i) reinterpret_cast<bf16*>(to)[i] = inside && k + i < c.K ? from[k + i] : bf16{0};
    }
    cp_async_commit();
}

/// Sums of 64 filters (rows) by every fourth group of 8 of their elements (columns), from the warp's number on.
constexpr int kGroups = kThinElements / 8 / kWarps;
struct FilterSums {
    float d[kThinChannels / 16][kGroups][4] = {};
};

/// Adds the products of 32 pixels, a row of the tile.
__device__ void add_row(FilterSums& sums, FilterShared& shared, const ThinConv& c, const ThinTile& t, int row,
                        const int (&window)[kGroups])
{
    const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
#pragma unroll
    for (int step = 0; step < 2; ++step) {
        std::uint32_t a[kThinChannels / 16][4];
#pragma unroll
        for (int m = 0; m < kThinChannels / 16; ++m) load_fragment<Factor::a>(a[m], shared.wide[row], m * 16, step);
        const int next = c.scale * c.C; // from a pixel's window to its neighbour's
        const bf16* pixel = shared.patch + row * c.scale * t.patch_row + (step * 16 + lane % 4 * 2) * next;
#pragma unroll
        for (int group = 0; group < kGroups; ++group) {
            if ((group * kWarps + warp) * 8 >= t.elements) continue;
            const bf16* from = pixel + window[group];
            const std::uint32_t b[2] = {pair_of(from[0], from[next]), pair_of(from[8 * next], from[9 * next])};
#pragma unroll
            for (int m = 0; m < kThinChannels / 16; ++m) mma_bf16(sums.d[m][group], a[m], b);
        }
    }
}

/// Each block goes through every gridDim.x-th tile with 64 filters.
__global__ void __launch_bounds__(kThreads, 2)
    filter_gradient_kernel(ThinConv c, const bf16* thin, const bf16* wide, PartialSums partial, FilterStore dw)
{
    wait_for_previous_kernel();
    FilterShared& shared = dyn_shared<FilterShared>();
    const ThinTile t(c);
    const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32, first_k = int(blockIdx.y) * kThinChannels;
    int window[kGroups]; // where this lane's element of each group lies in a window; some element where it has none
#pragma unroll
    for (int group = 0; group < kGroups; ++group) {
        const int i = (group * kWarps + warp) * 8 + lane / 4;
        window[group] = i < t.elements ? i / t.row_elements * t.patch_row + i % t.row_elements : 0;
    }
    FilterSums sums;
    for (int tile = int(blockIdx.x); tile < t.tiles; tile += int(gridDim.x)) {
        const TilePlace at(t, tile);
        __syncthreads(); // the tile before this one has been read
        load_wide(shared, c, at, first_k, wide);
        load_patch(shared.patch, c, t, at, thin);
        cp_async_wait<0>();
        __syncthreads();
#pragma unroll 1
        for (int row = 0; row < kThinRows; ++row) add_row(sums, shared, c, t, row, window);
    }
#pragma unroll
    for (int m = 0; m < kThinChannels / 16; ++m)
#pragma unroll
        for (int group = 0; group < kGroups; ++group)
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                const int k = first_k + m * 16 + lane / 4 + i / 2 * 8;
                const int element = (group * kWarps + warp) * 8 + lane % 4 * 2 + i % 2;
                if (k >= c.K || element >= t.elements) continue;
                const int at = filter_index(c, k, element / t.row_elements, element % t.row_elements);
                float sum[1] = {sums.d[m][group][i]};
                if (partial.data)
                    partial.store(int(blockIdx.x), at, sum);
                else
                    dw.store(at, sum);
            }
}

} // namespace

void run_few_channels(Exec ex, const Conv2dFwd& op)
{
    const ThinConv c = thin_conv(Conv2dPass::fwd, op.s);
    const Epilogue& e = op.e;
    on_storage(op.kName, op.y.dtype, [&]<class Y>() {
        const EpilogueStore<Y> store(op.s.y_shape(), e, op.y);
        on_packets<Y>(store.run(), {e.bias, e.add, e.z, op.y}, [&]<int N>() {
            launch_windows("conv2d_fwd few_channels", ex, c, op.x, op.w, ToEpilogue<Y>{store}, N > 1);
        });
    });
}

void run_few_channels(Exec ex, const Conv2dDgrad& op)
{
    const ThinConv c = thin_conv(Conv2dPass::dgrad, op.s);
    const ToGradient to{{op.s.x_shape(), op.out()}, c.K};
    on_packets_of<bf16>(op.s.x_shape(), op.out(),
                        [&]<int N>() { launch_windows("conv2d_dgrad few_channels", ex, c, op.dy, op.w, to, N > 1); });
}

void run_few_channels(Exec ex, const Conv2dWgrad& op)
{
    const ThinConv c = thin_conv(Conv2dPass::wgrad, op.s);
    const int splits = few_channels_splits(c, ex.device->target());
    const PartialSums partial(ex, splits, op.s.w_size());
    const FilterStore out{op.dw.as<float>(), op.accumulate};
    const Grid grid{.blocks = {unsigned(splits), unsigned((c.K + kThinChannels - 1) / kThinChannels)},
                    .threads = {kThreads},
                    .smem = sizeof(FilterShared)};
    const ConstView thin = c.mirrored ? op.dy : op.x, wide = c.mirrored ? op.x : op.dy;
    launch("conv2d_wgrad few_channels", filter_gradient_kernel, grid, ex, c, thin.as<bf16>(), wide.as<bf16>(), partial,
           out);
    launch_add_splits<1>("conv2d_wgrad add_splits", ex, partial, splits, out);
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
