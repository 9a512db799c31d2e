// kernels/optim/global_norm.h - the norm of all gradients of a group.
//
// Definition  global_norm_ref.h      CPU  global_norm.cpp      CUDA  global_norm.cu
// Tests  tests/kernels/optim_test.cpp
#pragma once

#include "kernels/device/dispatch.h"

namespace bifrons::kernels {

/// norm[0] = sqrt(sum g^2), accumulated in f64 in a fixed order: the same bits for any thread count.
///   g [n] read, norm [1] written; f32, or f64 (cpu), alike
struct GlobalNorm {
    static constexpr const char* kName = "global_norm";
    std::int64_t n = 0;
    ConstView g = {};
    View norm = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(GlobalNorm)

} // namespace bifrons::kernels
