// kernels/losses/dssim_cpu.h - structural dissimilarity on the cpu device: separable filters, row by row.
#pragma once

#include "kernels/losses/dssim.h"

namespace bifrons::kernels::cpu {

std::size_t dssim_fwd_scratch(const DssimShape& s, DType dtype);
std::size_t dssim_grad_scratch(const DssimShape& s, DType dtype);

void dssim_fwd(const DssimShape& s, ConstView a, ConstView b, ConstView mask, float scale, View loss, View slopes,
               Workspace scratch);
void dssim_grad(const DssimShape& s, ConstView a, ConstView b, ConstView mask, float scale, ConstView slopes,
                ConstView upstream, const Store& d, Workspace scratch);

} // namespace bifrons::kernels::cpu
