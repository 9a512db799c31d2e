// kernels/losses/dssim_cpu.h - structural dissimilarity on the cpu device: separable filters, row by row.
#pragma once

#include "kernels/losses/dssim.h"

namespace bifrons::kernels::cpu {

std::size_t dssim_fwd_scratch(const DssimShape& s, DType dtype);
std::size_t dssim_grad_scratch(const DssimShape& s, DType dtype);

} // namespace bifrons::kernels::cpu
