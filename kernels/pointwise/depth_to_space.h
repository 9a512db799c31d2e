// kernels/pointwise/depth_to_space.h - pixel shuffle by itself, in the two orders in use, and its inverse. Operations
// with an Epilogue fuse the order dcr (Epilogue::shuffle).
//
//   y[n, f*h+i, f*w+j, c] = x[n, h, w, channel(i,j,c)]
//   dcr  channel = (i*f + j)*C + c      TensorFlow's depth_to_space, DeepFaceLab: the block index is the slow axis
//   crd  channel = c*f*f + i*f + j      PyTorch's pixel_shuffle: the block index is the fast axis
//
// Definition  depth_to_space_ref.h     CPU  depth_to_space_cpu.cpp     CUDA  depth_to_space.cu
// Tests  tests/kernels/depth_to_space_test.cpp
#pragma once

#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels {

/// Depth, column, row: which index of the channel axis varies slowest to fastest.
enum class ShuffleOrder { dcr, crd };

struct DepthToSpaceShape {
    std::int64_t N = 1, H = 1, W = 1, C = 1; // x [N,H,W,factor^2*C], y [N,factor*H,factor*W,C]
    std::int64_t factor = 2;
    ShuffleOrder order = ShuffleOrder::dcr;

    BIFRONS_HD std::int64_t size() const { return N * H * W * C * factor * factor; }
};

/// y as above.   x read, y written: not the same buffer   f32, bf16 or f64 (cpu only), alike
/// Exact.
/// Throws Error(shape) for a factor below 1 or other element types.
struct DepthToSpace {
    static constexpr const char* kName = "depth_to_space";
    DepthToSpaceShape s = {};
    ConstView x = {};
    View y = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(DepthToSpace)

/// The inverse, which is also the gradient: v[n, h, w, channel(i,j,c)] = y[n, f*h+i, f*w+j, c], stored as d says.
///   y [N,factor*H,factor*W,C] read   d.out [N,H,W,factor^2*C] written: not y's buffer
struct SpaceToDepth {
    static constexpr const char* kName = "space_to_depth";
    DepthToSpaceShape s = {};
    ConstView y = {};
    Store d = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(SpaceToDepth)

} // namespace bifrons::kernels
