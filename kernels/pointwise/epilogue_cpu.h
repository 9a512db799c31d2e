// kernels/pointwise/epilogue_cpu.h - the store formula on the cpu device.
#pragma once

#include "kernels/base/bf16.h"
#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels::cpu {

/// For operations that compute v in pieces: stores elements [begin, begin + n), v[0] being the first of them. v of the
/// store's type, or f32 where that is bf16: so a value is rounded once.
void store_gradient_run(const Store& s, std::int64_t begin, std::int64_t n, const float* v);
void store_gradient_run(const Store& s, std::int64_t begin, std::int64_t n, const bf16* v);
void store_gradient_run(const Store& s, std::int64_t begin, std::int64_t n, const double* v);

} // namespace bifrons::kernels::cpu
