// kernels/conv2d/conv2d_tuning.h - which tile and how many splits the implicit-GEMM convolution uses: the one place to
// change when measurements are there.
#pragma once

#include "kernels/conv2d/conv2d.h"

namespace bifrons::kernels {

/// What a block of threads computes: rows x columns of the product. Rows are the pixels (filter gradient: the output
/// channels), columns the channels (filter gradient: the filters' elements).
enum class IgemmTile {
    large,  ///< 128 x 128: the fewest reads of shared memory per product
    medium, ///< 64 x 64: four times the blocks, for small problems; the only one for copies below 16 bytes
    tall,   ///< 128 x 32: few columns
    flat,   ///< 32 x 128: few rows
};
constexpr IgemmTile kIgemmTiles[] = {IgemmTile::large, IgemmTile::medium, IgemmTile::tall, IgemmTile::flat};

struct IgemmTileSize {
    int rows, columns;
};
constexpr IgemmTileSize igemm_tile_size(IgemmTile tile)
{
    switch (tile) {
    case IgemmTile::large:
        return {128, 128};
    case IgemmTile::medium:
        return {64, 64};
    case IgemmTile::tall:
        return {128, 32};
    case IgemmTile::flat:
        return {32, 128};
    }
    return {};
}

/// Bytes of the reduction that a block of threads holds for each row and column at a time: 32 bf16 or 16 f32.
constexpr int kIgemmDepthBytes = 64;

/// How one pass of one convolution is computed. The reduction is cut into `splits` parts, each with blocks of its own;
/// their partial sums meet in the workspace and are added in order.
struct IgemmPlan {
    IgemmTile tile = IgemmTile::medium;
    int splits = 1;
    bool tensor_cores = true; ///< igemm_mma; else tiled
};

enum class Conv2dPass { fwd, dgrad, wgrad };

/// The product that a pass comes to. With a stride the input gradient is several, one for each class of pixels that
/// the same taps reach; its depth is their mean.
struct IgemmProduct {
    std::int64_t rows, columns, depth;
};
IgemmProduct igemm_product(Conv2dPass pass, const Conv2dShape& s);

/// The largest of 16, 8 and 4 bytes into which the channels of every operand of the pass divide; 0 if none does.
int igemm_copy_bytes(Conv2dPass pass, const Conv2dShape& s, DType dtype);

/// Whether x, w and y have at most 2^30 elements each, so that kernels may count them in int.
bool has_int_indices(const Conv2dShape& s);

/// Whether methods igemm_mma and tiled (f32) can compute the pass: channels divide into copies, at most 2^30 elements
/// each in x, w and y, and a stride of at most 4 (input gradient).
bool igemm_supports(Conv2dPass pass, const Conv2dShape& s, DType dtype);

/// By a model of the time: whole waves of blocks over the GPU's multiprocessors, each block's products at its tile's
/// rate after a fixed start, and the partial sums' way through memory. The rates are estimates, and their proportions
/// are taken for f32 too.
IgemmPlan igemm_plan(Conv2dPass pass, const Conv2dShape& s, DType dtype, Target target);

/// Of the first GPU of an architecture; the simulator counts as a small one. By architecture, not by GPU, so that the
/// same architecture gives the same bits.
int multiprocessors(Target target);

/// For the partial sums.
std::size_t igemm_workspace(Conv2dPass pass, const Conv2dShape& s, const IgemmPlan& plan);

} // namespace bifrons::kernels
