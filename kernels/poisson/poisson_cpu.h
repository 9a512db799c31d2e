// kernels/poisson/poisson_cpu.h - gradient-domain blending on the cpu device.
#pragma once

#include "kernels/poisson/poisson.h"

namespace bifrons::kernels::cpu {

void poisson_divergence(const PoissonShape& s, ConstView source, ConstView target, ConstView m, View divergence);

void poisson_solve(const PoissonShape& s, ConstView divergence, ConstView mask, float tolerance, View f,
                   Workspace scratch);
std::size_t poisson_solve_bytes(const PoissonShape& s);

void poisson_clone_rect(const PoissonShape& s, ConstView source, ConstView target, ConstView mask, View out,
                        Workspace scratch);
std::size_t poisson_clone_rect_bytes(const PoissonShape& s);

} // namespace bifrons::kernels::cpu
