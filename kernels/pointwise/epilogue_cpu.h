// kernels/pointwise/epilogue_cpu.h - the store formula on the cpu device.
#pragma once

#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels::cpu {

void epilogue_fwd(const EpilogueShape& s, ConstView v, View y, const Epilogue& e);
void store_gradient(std::int64_t n, ConstView v, const Store& s);
void unshuffle(const EpilogueShape& s, int f, ConstView dy, View d);
void bias_grad(std::int64_t rows, std::int64_t K, ConstView d, View db, bool accumulate, Workspace scratch);

} // namespace bifrons::kernels::cpu
