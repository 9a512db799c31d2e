// kernels/conv2d/conv2d_igemm_wgrad.cu - method `igemm_mma`, filter gradient: rows are the filters, columns a filter's
// elements r,s,c, and the reduction runs through the pixels of y. There are few tiles and many pixels: splits fill the
// GPU.
#include "kernels/conv2d/conv2d_igemm.h"

#include "kernels/conv2d/igemm_operands.cuh"
#include "kernels/device/storage.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

struct Filters {
    static constexpr int kRun = 4;

    template <int n>
    __device__ void operator()(int row, int column, float (&v)[n]) const
    {
        row += first_row, column += first_column;
        if (row >= rows || column >= columns) return;
        const std::int64_t i = std::int64_t(row) * columns + column;
        if (partial.data)
            partial.store(split, i, v);
        else
            dw.store(i, v);
    }
    PartialSums partial;
    FilterStore dw;
    int rows, columns;
    bool whole_runs;
    int split = 0, first_row = 0, first_column = 0; // the block's
};

template <class Tile, int kCopy>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kBlocksOfSm)
    conv2d_wgrad_igemm_kernel(IgemmShape s, const typename Tile::T* dy, const typename Tile::T* x, Filters out)
{
    wait_for_previous_kernel();
    using Shared = IgemmShared<Tile, Major::side, Major::side>;
    Shared& shared = dyn_shared<Shared>();
    const int tiles = (out.columns + Tile::kColumns - 1) / Tile::kColumns, pixels = s.N * s.P * s.Q;
    out.first_row = int(blockIdx.x) / tiles * Tile::kRows;
    out.first_column = int(blockIdx.x) % tiles * Tile::kColumns;
    out.split = int(blockIdx.y);
    const SplitSteps steps((pixels + Tile::kDepth - 1) / Tile::kDepth, out.split, int(gridDim.y));
    MatrixColumns<decltype(shared.stages[0].a), kCopy, Tile::kThreads> a(dy, pixels, s.K, out.first_row, steps.first);
    WindowColumns<decltype(shared.stages[0].b), kCopy, Tile::kThreads> b(s, x, out.first_column, steps.first);
    Sums<Tile> sums;
    multiply(sums, shared, a, b, steps.last - steps.first);
    emit(sums, shared, out);
}

template <class Tile, int kCopy>
void launch_wgrad(const Exec& ex, const Conv2dWgrad& op, const IgemmPlan& plan)
{
    using T = typename Tile::T;
    const IgemmShape s(op.s);
    const FilterStore dw{op.dw.as<float>(), op.accumulate};
    const int columns = s.R * s.S * s.C;
    const PartialSums partial(ex, plan.splits, op.s.w_size());
    const auto tiles = [](int n, int tile) { return unsigned((n + tile - 1) / tile); };
    const Grid grid{.blocks = {tiles(s.K, Tile::kRows) * tiles(columns, Tile::kColumns), unsigned(plan.splits)},
                    .threads = {Tile::kThreads},
                    .smem = sizeof(IgemmShared<Tile, Major::side, Major::side>)};
    on_packets<float>(columns, {{dw.dw}}, [&]<int N>() {
        launch("conv2d_wgrad igemm_mma", conv2d_wgrad_igemm_kernel<Tile, kCopy>, grid, ex, s, op.dy.as<T>(),
               op.x.as<T>(), Filters{partial, dw, s.K, columns, N > 1});
        launch_add_splits<N>("conv2d_wgrad add_splits", ex, partial, plan.splits, dw);
    });
}

} // namespace

void run_igemm(Exec ex, const Conv2dWgrad& op, const IgemmPlan& plan)
{
    on_storage(op.kName, op.dy.dtype, [&]<class T>() {
        on_igemm<T>(plan, igemm_copy_bytes(Conv2dPass::wgrad, op.s, op.dy.dtype),
                    [&]<class Tile, int kCopy>() { launch_wgrad<Tile, kCopy>(ex, op, plan); });
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
