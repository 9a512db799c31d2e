// kernels/losses/l1.h - mean absolute error, plain or weighted by a mask.
//
//   loss = scale / (rows*C) * sum_{i,c} m_i |a[i,c] - b[i,c]|        m_i = mask[i], or 1 without a mask
//
// The mean is over all elements, masked or not. The slope is scale / (rows*C) m_i sign(a - b), 0 where a = b:
// a difference is 0 only of equal numbers, so that the sign is exact.
//
// Definition  l1_ref.h      CPU  l1_cpu.cpp      CUDA  l1.cu      Tests  tests/kernels/l1_test.cpp
#pragma once

#include "kernels/losses/picture_pair.h"

namespace bifrons::kernels {

using L1Shape = PicturePair; // a, b [rows,C], mask [rows] >= 0 (rows = N*H*W)

/// loss[0] = the formula above.   a, b, mask read (mask may be empty); loss [1] written. f32, or f64 (cpu), all alike.
/// Accumulated in f64 in a fixed order: the same bits for any thread count.
struct L1Fwd {
    static constexpr const char* kName = "l1_fwd";
    L1Shape s = {};
    ConstView a = {}, b = {}, mask = {};
    float scale = 1;
    View loss = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(L1Fwd)

/// v = upstream[0] * dloss/da, stored as d says. b gets no gradient.   upstream [1] read (device memory).
struct L1Grad {
    static constexpr const char* kName = "l1_grad";
    L1Shape s = {};
    ConstView a = {}, b = {}, mask = {};
    float scale = 1;
    ConstView upstream = {};
    Store d = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(L1Grad)

} // namespace bifrons::kernels
