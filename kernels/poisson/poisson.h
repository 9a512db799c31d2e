// kernels/poisson/poisson.h - gradient-domain blending: pictures from their differences and their values at an edge.
//
//   divergence   d = div v                     v = m * grad S + (1 - m) * grad D
//   solve        lap f = d inside a mask       f = what it was, outside
//
// grad is the forward difference, div the backward one, lap f = f(y-1,x) + f(y+1,x) + f(y,x-1) + f(y,x+1) - 4 f(y,x).
// (Perez, Gangnet, Blake 2003, "Poisson image editing", eq. 7.)
//
// Definition  poisson_ref.h      CPU  poisson_cpu.cpp, multigrid_cpu.cpp      CUDA  poisson.cu, multigrid.cuh
// Tests  tests/kernels/poisson_test.cpp
#pragma once

#include "kernels/device/dispatch.h"

namespace bifrons::kernels {

/// Pictures [H,W,C], masks [H,W].
struct PoissonShape {
    std::int64_t H = 1, W = 1, C = 3;
    BIFRONS_HD std::int64_t pixels() const { return H * W; }
    BIFRONS_HD std::int64_t size() const { return H * W * C; }
};

/// divergence = div(m * grad source + (1 - m) * grad target); 0 on the picture's edge.
///   source, target [H,W,C] read, f32 or u8 alike      m [H,W] f32 in 0..1, read; empty means 1: target is not read
///   divergence [H,W,C] f32 written
/// Each value is a sum of eight products: error <= gamma32(16) * 8 * max|source, target|. Deterministic.
struct PoissonDivergence {
    static constexpr const char* kName = "poisson_divergence";
    PoissonShape s = {};
    ConstView source = {}, target = {}, m = {};
    View divergence = {};

    void check(Target device) const;
    Cost cost(Target device) const;
};
BIFRONS_OPERATION(PoissonDivergence)

/// Solves lap f = divergence for the pixels of a mask; f elsewhere is given and kept to the bit.
///   divergence [H,W,C] f32 read, inside the mask only
///   mask [H,W] u8 read, inside where it is not 0; empty means everywhere. The picture's own edge is never inside:
///   pad a picture by a pixel to solve up to its edge.
///   f [H,W,C] f32 read and written: the values outside, and a first guess inside (any finite values)
///   tolerance > 0 in the unit of f: iterations end when the remaining error is estimated to be below it, or after
///   100. The solution is within 2.5 tolerances of a solve in double, so 0.1 grey levels give 0.25.
/// Conjugate gradients on each channel, with a multigrid V-cycle as preconditioner. Deterministic, the same bits for
/// any number of threads. Nothing waits for the host. On a GPU at most as many channels as blocks run at once.
struct PoissonSolve {
    static constexpr const char* kName = "poisson_solve";
    PoissonShape s = {};
    ConstView divergence = {}, mask = {};
    float tolerance = 1;
    View f = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(PoissonSolve)

} // namespace bifrons::kernels
