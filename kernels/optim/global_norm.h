// kernels/optim/global_norm.h - the norm of all gradients of a group.
//
// Definition  global_norm_ref.h      CPU, dispatch  global_norm.cpp      CUDA  global_norm.cu
// Tests  tests/kernels/optim_test.cpp
#pragma once

#include "kernels/device/device.h"

namespace bifrons::kernels {

/// norm[0] = sqrt(sum g^2), accumulated in f64 in a fixed order: the same bits for any thread count.
///   g [n] read, norm [1] written; f32, or f64 (cpu), alike
void global_norm(Exec ex, std::int64_t n, ConstView g, View norm);
Cost global_norm_cost(std::int64_t n, DType dtype, Target target);

BIFRONS_SIMT_DECLARE(void global_norm(Exec ex, std::int64_t n, ConstView g, View norm);)

} // namespace bifrons::kernels
