// kernels/pointwise/prelu.h - an activation whose slope below zero belongs to the channel (He et al. 2015,
// arXiv:1502.01852). Forward only: networks that are run, not trained.
//
//   y[row,c] = v > 0 ? v : slope[c] * v,      v = x[row,c] + add[row,c]
//
// `add` may have fewer channels than x: those that it has not count as zeros.
//
// Definition  prelu_ref.h      CPU  prelu_cpu.cpp      CUDA  prelu.cu      Tests  tests/kernels/prelu_test.cpp
#pragma once

#include "kernels/device/dispatch.h"

namespace bifrons::kernels {

struct PreluShape {
    std::int64_t rows = 1, C = 1; // x [rows,C] (rows = N*H*W)
    std::int64_t A = 0;           // add [rows,A], 0 <= A <= C
};

/// y as above.   x [rows,C], slope [C], add [rows,A] (empty where A is 0) read   y [rows,C] written, may be x
///   f32, or f64 (cpu), all alike. Elementwise: deterministic; error <= gamma32(2) * (|x| + |add|) * max(1, |slope|).
/// Throws Error(shape) for an `add` with more channels than x, or other element types.
struct Prelu {
    static constexpr const char* kName = "prelu";
    PreluShape s = {};
    ConstView x = {}, add = {}, slope = {};
    View y = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(Prelu)

} // namespace bifrons::kernels
