// kernels/conv2d/conv2d_igemm_dgrad.cu - method `igemm_mma`, input gradient: rows are the pixels of dx, columns its
// channels, and the reduction runs through the taps that reach the pixel and through dy's channels.
//
// With a stride, which taps reach a pixel depends on its row and column modulo the stride. Each such class is a product
// of its own, all in one launch, those with most taps first.
#include "kernels/conv2d/conv2d_igemm.h"

#include "kernels/conv2d/igemm_operands.cuh"
#include "kernels/device/storage.h"
#include "kernels/pointwise/store.cuh"

#include <algorithm>

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

/// The pixels h = h0 + stride * a, v = v0 + stride * b of dx, and what reaches them.
struct PixelClass {
    int first_tile; // of rows, counted through all classes
    int h0, v0;
    Windows windows; // over dy: tap i of the class is row a + windows.h - i
    ClassTaps taps;
};

constexpr int kMaxClasses = 16;
struct PixelClasses {
    explicit PixelClasses(const IgemmShape& s, int tile_rows);
    int count = 0, tiles = 0;
    PixelClass of[kMaxClasses];
};

/// One axis of a class: pixels `first`, first + stride, ... of `size`, and taps tap, tap + stride, ... of `filter`.
struct Axis {
    Axis(int first, int size, int filter, int stride, int pad)
        : pixels((size - first + stride - 1) / stride), tap((first + pad) % stride),
          taps(tap < filter ? (filter - tap + stride - 1) / stride : 0), shift((first + pad - tap) / stride)
    {
    }
    int pixels, tap, taps, shift;
};

PixelClasses::PixelClasses(const IgemmShape& s, int tile_rows)
{
    for (int h = 0; h < std::min(s.stride, s.H); ++h)
        for (int v = 0; v < std::min(s.stride, s.W); ++v) {
            const Axis y(h, s.H, s.R, s.stride, s.pad), x(v, s.W, s.S, s.stride, s.pad);
            of[count++] = {.first_tile = 0,
                           .h0 = h,
                           .v0 = v,
                           .windows = {s.N * y.pixels * x.pixels, y.pixels, x.pixels, 1, y.shift, x.shift, s.P, s.Q,
                                       s.K, y.taps, x.taps},
                           .taps = {y.tap, x.tap, y.taps, x.taps}};
        }
    std::stable_sort(of, of + count, [](const PixelClass& a, const PixelClass& b) {
        return a.taps.R * a.taps.S > b.taps.R * b.taps.S;
    });
    for (PixelClass* c = of; c < of + count; ++c) {
        c->first_tile = tiles;
        tiles += (c->windows.count + tile_rows - 1) / tile_rows;
    }
}

template <class T>
struct GradientPixels {
    static constexpr int kRun = 16 / int(sizeof(T));

    template <int n>
    __device__ void operator()(int row, int column, float (&v)[n]) const
    {
        row += first_row, column += first_column;
        if (row >= rows || column >= C) return;
        const int b = row % B, a = row / B % A, image = row / B / A;
        const int pixel = (image * H + h0 + a * stride) * W + v0 + b * stride;
        const std::int64_t i = std::int64_t(pixel) * C + column;
        if (partial.data)
            partial.store(split, i, v);
        else
            dx.store(i, v);
    }
    PartialSums partial;
    GradientOrValueStore<T> dx;
    int H, W, C, stride;
    bool whole_runs;
    int split = 0, first_row = 0, first_column = 0; // the block's
    int rows = 0, A = 0, B = 0, h0 = 0, v0 = 0;     // its class's
};

template <class Tile, int kCopy>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kBlocksOfSm)
    conv2d_dgrad_igemm_kernel(IgemmShape s, PixelClasses classes, const typename Tile::T* dy, const typename Tile::T* w,
                              GradientPixels<typename Tile::T> out)
{
    wait_for_previous_kernel();
    using Shared = IgemmShared<Tile, Major::depth, Major::side>;
    Shared& shared = dyn_shared<Shared>();
    const int column_tiles = (s.C + Tile::kColumns - 1) / Tile::kColumns, tile = int(blockIdx.x) / column_tiles;
    int number = 0;
    while (number + 1 < classes.count && tile >= classes.of[number + 1].first_tile) ++number;
    const PixelClass& pixels = classes.of[number];
    const Windows& windows = pixels.windows;
    out.first_row = (tile - pixels.first_tile) * Tile::kRows;
    out.first_column = int(blockIdx.x) % column_tiles * Tile::kColumns;
    out.split = int(blockIdx.y);
    out.rows = windows.count, out.A = windows.A, out.B = windows.B, out.h0 = pixels.h0, out.v0 = pixels.v0;
    const int depth = windows.R * windows.S * s.K;
    const SplitSteps steps((depth + Tile::kDepth - 1) / Tile::kDepth, out.split, int(gridDim.y));
    WindowRows<decltype(shared.stages[0].a), kCopy, Tile::kThreads, -1> a(windows, dy, out.first_row, steps.first);
    FilterTaps<decltype(shared.stages[0].b), kCopy, Tile::kThreads> b(s, pixels.taps, w, out.first_column, steps.first);
    Sums<Tile> sums;
    multiply(sums, shared, a, b, steps.last - steps.first);
    emit(sums, shared, out);
}

template <class Tile, int kCopy>
void launch_dgrad(const Exec& ex, const Conv2dDgrad& op, const IgemmPlan& plan)
{
    using T = typename Tile::T;
    const IgemmShape s(op.s);
    const PixelClasses classes(s, Tile::kRows);
    const GradientOrValueStore<T> dx(op.s.x_shape(), op.out());
    const PartialSums partial(ex, plan.splits, op.s.x_size());
    const Grid grid{
        .blocks = {unsigned(classes.tiles * ((s.C + Tile::kColumns - 1) / Tile::kColumns)), unsigned(plan.splits)},
        .threads = {Tile::kThreads},
        .smem = sizeof(IgemmShared<Tile, Major::depth, Major::side>)};
    on_packets_of<T>(op.s.x_shape(), op.out(), [&]<int N>() {
        launch("conv2d_dgrad igemm_mma", conv2d_dgrad_igemm_kernel<Tile, kCopy>, grid, ex, s, classes, op.dy.as<T>(),
               op.w.as<T>(), GradientPixels<T>{partial, dx, s.H, s.W, s.C, s.stride, N > 1});
        launch_add_splits<N>("conv2d_dgrad add_splits", ex, partial, plan.splits, dx);
    });
}

} // namespace

void run_igemm(Exec ex, const Conv2dDgrad& op, const IgemmPlan& plan)
{
    on_storage(op.kName, op.dy.dtype, [&]<class T>() {
        on_igemm<T>(plan, igemm_copy_bytes(Conv2dPass::dgrad, op.s, op.dy.dtype),
                    [&]<class Tile, int kCopy>() { launch_dgrad<Tile, kCopy>(ex, op, plan); });
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
