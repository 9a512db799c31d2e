// kernels/losses/bce.h - binary cross-entropy of logits: of a discriminator's answers, or of a predicted mask.
//
//   loss = scale / (rows*C) * sum_{i,c} m_i (max(x,0) - x t + log(1 + exp(-|x|)))      x = x[i,c], t = t[i,c]
//
// That is -t log p - (1-t) log(1-p) with p = 1 / (1 + exp(-x)), without overflow or log 0 for any x. m_i = mask[i], or
// 1 without a mask; the mean is over all elements, masked or not.
//
// Definition  bce_ref.h      CPU  bce_cpu.cpp      CUDA  bce.cu      Tests  tests/kernels/bce_test.cpp
#pragma once

#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels {

struct BceShape {
    std::int64_t rows = 1, C = 1; // x, t [rows,C], mask [rows]
    float label = 1;              ///< t of all elements where no target is given: 1 real, 0 fake
};

/// loss[0] = the formula above.   x read; target read, 0..1, or empty; mask read or empty; loss [1] written
///   f32, or f64 (cpu), all alike. Accumulated in f64 in a fixed order: the same bits for any thread count.
/// Error <= scale * mean m 2^-21 (1 + |x|) for f32.   Throws Error(shape).
struct BceFwd {
    static constexpr const char* kName = "bce_fwd";
    BceShape s = {};
    ConstView x = {}, target = {}, mask = {};
    float scale = 1;
    View loss = {};

    void check(Target device) const;
    Cost cost(Target device) const;
};
BIFRONS_OPERATION(BceFwd)

/// v = upstream[0] * dloss/dx = upstream[0] * scale / (rows*C) * m (p - t), stored as d says. The target gets no
/// gradient.   upstream [1] read (device memory).   Error <= 2^-21 upstream * scale / (rows*C) * m for f32.
struct BceGrad {
    static constexpr const char* kName = "bce_grad";
    BceShape s = {};
    ConstView x = {}, target = {}, mask = {};
    float scale = 1;
    ConstView upstream = {};
    Store d = {};

    void check(Target device) const;
    Cost cost(Target device) const;
};
BIFRONS_OPERATION(BceGrad)

} // namespace bifrons::kernels
