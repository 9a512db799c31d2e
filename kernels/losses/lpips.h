// kernels/losses/lpips.h - how far the features of two pictures point apart, channel by channel.
//
//   u_a[i,c] = a[i,c] / r_a[i]        r_a[i] = sqrt(sum_c a[i,c]^2 + 1e-8)        u_b likewise
//   loss     = scale / rows * sum_{i,c} w[c] (u_a[i,c] - u_b[i,c])^2              w[c] = 1 without weights
//
// Without weights a pixel's share is 2 - 2 cos of the angle between its features, whatever their size.
//
// Source  Zhang, Isola, Efros, Shechtman, Wang 2018, arXiv:1801.03924, eq. 1
// Definition  lpips_ref.h      CPU  lpips_cpu.cpp      CUDA  lpips.cu      Tests  tests/kernels/lpips_test.cpp
#pragma once

#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels {

struct LpipsShape {
    std::int64_t rows = 1, C = 1; // a, b [rows,C] (rows = N*H*W), w [C]
};

/// Keeps the features of an empty place from being divided by zero.
constexpr double kLpipsEps = 1e-8;

/// loss[0] = the formula above.   a, b, w read (w may be empty); loss [1] written.
///   a and b f32, bf16 or f64 (cpu only), alike; w and loss f64 with f64, else f32.
/// A row's sums in f32 (f64 on the cpu), all rows' in f64, in a fixed order: the same bits for any thread count.
/// Error: of u_a - u_b at most (gamma32(C) + 8 units) (|u_a| + |u_b|).
struct LpipsFwd {
    static constexpr const char* kName = "lpips_fwd";
    LpipsShape s = {};
    ConstView a = {}, b = {}, w = {};
    float scale = 1;
    View loss = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(LpipsFwd)

/// v = upstream[0] * dloss/da, stored as d says. b gets no gradient.   upstream [1] read (device memory, loss's type)
///   v[i,c] = 2 scale upstream / rows / r_a[i] * (g[i,c] - u_a[i,c] sum_k g[i,k] u_a[i,k]),   g = w (u_a - u_b)
struct LpipsGrad {
    static constexpr const char* kName = "lpips_grad";
    LpipsShape s = {};
    ConstView a = {}, b = {}, w = {};
    float scale = 1;
    ConstView upstream = {};
    Store d = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(LpipsGrad)

} // namespace bifrons::kernels
