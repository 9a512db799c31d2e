// kernels/conv2d/conv2d_igemm_fwd.cu - method `igemm_mma`, forward: rows are the pixels of y, columns its channels, and
// the reduction runs through each pixel's window. Limit: tensor cores; reads of x from L2 where channels are few.
#include "kernels/conv2d/conv2d_igemm.h"

#include "kernels/conv2d/igemm_operands.cuh"
#include "kernels/device/storage.h"
#include "kernels/pointwise/store.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

template <class Y>
struct PixelStore {
    static constexpr int kRun = 16 / int(sizeof(Y));

    template <int n>
    __device__ void operator()(int row, int column, float (&v)[n]) const
    {
        row += first_row, column += first_column;
        if (row >= rows || column >= columns) return;
        if (partial.data)
            partial.store(split, std::int64_t(row) * columns + column, v);
        else
            y.store(row, column, v);
    }
    PartialSums partial;
    EpilogueStore<Y> y;
    int rows, columns;
    bool whole_runs;
    int split = 0, first_row = 0, first_column = 0; // the block's
};

template <class Tile, int kCopy, class Y>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kBlocksOfSm)
    conv2d_fwd_igemm_kernel(Windows windows, const typename Tile::T* x, const typename Tile::T* w, PixelStore<Y> out)
{
    wait_for_previous_kernel();
    using Shared = IgemmShared<Tile, Major::depth, Major::depth>;
    Shared& shared = dyn_shared<Shared>();
    const int tiles = (out.columns + Tile::kColumns - 1) / Tile::kColumns, depth = windows.R * windows.S * windows.C;
    out.first_row = int(blockIdx.x) / tiles * Tile::kRows;
    out.first_column = int(blockIdx.x) % tiles * Tile::kColumns;
    out.split = int(blockIdx.y);
    const SplitSteps steps((depth + Tile::kDepth - 1) / Tile::kDepth, out.split, int(gridDim.y));
    WindowRows<decltype(shared.stages[0].a), kCopy, Tile::kThreads, 1> a(windows, x, out.first_row, steps.first);
    MatrixRows<decltype(shared.stages[0].b), kCopy, Tile::kThreads> b(w, out.columns, depth, out.first_column,
                                                                      steps.first);
    Sums<Tile> sums;
    multiply(sums, shared, a, b, steps.last - steps.first);
    emit(sums, shared, out);
}

template <class Tile, int kCopy, class Y>
void launch_fwd(const Exec& ex, const Conv2dFwd& op, const IgemmPlan& plan, const PixelStore<Y>& out)
{
    const IgemmShape i(op.s);
    const Windows windows{out.rows, i.P, i.Q, i.stride, -i.pad, -i.pad, i.H, i.W, i.C, i.R, i.S};
    const auto tiles = [](int n, int tile) { return unsigned((n + tile - 1) / tile); };
    const Grid grid{
        .blocks = {tiles(out.rows, Tile::kRows) * tiles(out.columns, Tile::kColumns), unsigned(plan.splits)},
        .threads = {Tile::kThreads},
        .smem = sizeof(IgemmShared<Tile, Major::depth, Major::depth>)};
    using T = typename Tile::T;
    launch("conv2d_fwd igemm_mma", conv2d_fwd_igemm_kernel<Tile, kCopy, Y>, grid, ex, windows, op.x.as<T>(),
           op.w.as<T>(), out);
}

/// The product, stored as y [pixels,K] of type Y.
template <class Y, class LaunchProduct>
void store_pixels(const Exec& ex, const Conv2dFwd& op, const IgemmPlan& plan, const LaunchProduct& launch_product)
{
    const Conv2dShape& s = op.s;
    const Epilogue& e = op.e;
    const EpilogueStore<Y> store(s.y_shape(), e, op.y);
    const PartialSums partial(ex, plan.splits, s.y_size());
    on_packets<Y>(store.run(), {e.bias, e.add, e.z, op.y}, [&]<int N>() {
        launch_product(PixelStore<Y>{partial, store, int(s.N * s.P() * s.Q()), int(s.K), N > 1});
        launch_add_splits<N>("conv2d_fwd add_splits", ex, partial, plan.splits, store);
    });
}

} // namespace

void run_igemm(Exec ex, const Conv2dFwd& op, const IgemmPlan& plan)
{
    const int copy = igemm_copy_bytes(Conv2dPass::fwd, op.s, op.x.dtype);
    if (op.x.dtype == op.y.dtype)
        return on_storage(op.kName, op.x.dtype, [&]<class T>() {
            store_pixels<T>(ex, op, plan, [&](const auto& out) {
                on_igemm<T>(plan, copy, [&]<class Tile, int kCopy>() { launch_fwd<Tile, kCopy>(ex, op, plan, out); });
            });
        });
    store_pixels<float>(ex, op, plan, [&](const auto& out) {
        const IgemmPlan narrow{op.s.K <= 32 ? IgemmTile::tall : IgemmTile::medium};
        on_igemm<bf16>(narrow, copy, [&]<class Tile, int kCopy>() {
            if constexpr (Tile::kColumns <= 64) launch_fwd<Tile, kCopy>(ex, op, plan, out);
        });
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
