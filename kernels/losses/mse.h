// kernels/losses/mse.h - mean squared error, plain or weighted by a mask.
//
//   loss = scale / (rows*C) * sum_{i,c} (m_i a[i,c] - m_i b[i,c])^2        m_i = mask[i], or 1 without a mask
//
// The mask multiplies both pictures before they are compared, as DeepFaceLab's masked training does; the mean is over
// all elements, masked or not.
//
// Definition  mse_ref.h      CPU  mse_cpu.cpp      CUDA  mse.cu      Tests  tests/kernels/mse_test.cpp
#pragma once

#include "kernels/losses/picture_pair.h"

namespace bifrons::kernels {

using MseShape = PicturePair; // a, b [rows,C], mask [rows] (rows = N*H*W)

/// loss[0] = the formula above.   a, b, mask read (mask may be empty); loss [1] written. f32, or f64 (cpu), all alike.
/// Accumulated in f64 in a fixed order: the same bits for any thread count.
struct MseFwd {
    static constexpr const char* kName = "mse_fwd";
    MseShape s = {};
    ConstView a = {}, b = {}, mask = {};
    float scale = 1;
    View loss = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(MseFwd)

/// v = upstream[0] * dloss/da, stored as d says. b gets no gradient.   upstream [1] read (device memory).
struct MseGrad {
    static constexpr const char* kName = "mse_grad";
    MseShape s = {};
    ConstView a = {}, b = {}, mask = {};
    float scale = 1;
    ConstView upstream = {};
    Store d = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(MseGrad)

} // namespace bifrons::kernels
