// kernels/pointwise/epilogue_cpu.h - the store formula on the cpu device.
#pragma once

#include "kernels/base/bf16.h"
#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels::cpu {

/// v of y's type, or f32 where that is bf16, here and below: so a value is rounded once.
void epilogue_fwd(const EpilogueShape& s, ConstView v, View y, const Epilogue& e);
void store_gradient(std::int64_t n, ConstView v, const Store& s);
/// For operations that compute v in pieces: stores elements [begin, begin + n), v[0] being the first of them.
void store_gradient_run(const Store& s, std::int64_t begin, std::int64_t n, const float* v);
void store_gradient_run(const Store& s, std::int64_t begin, std::int64_t n, const bf16* v);
void store_gradient_run(const Store& s, std::int64_t begin, std::int64_t n, const double* v);
void unshuffle(const EpilogueShape& s, int f, ConstView dy, View d);
void bias_grad(std::int64_t rows, std::int64_t K, ConstView d, View db, bool accumulate, Workspace scratch);

} // namespace bifrons::kernels::cpu
