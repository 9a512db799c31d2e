// kernels/poisson/poisson_cpu.h - gradient-domain blending on the cpu device.
#pragma once

#include "kernels/poisson/poisson.h"

namespace bifrons::kernels::cpu {

std::size_t poisson_solve_bytes(const PoissonShape& s);

} // namespace bifrons::kernels::cpu
