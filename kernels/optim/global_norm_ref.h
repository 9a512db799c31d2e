// kernels/optim/global_norm_ref.h - the norm of gradients in a loop: the definition.
#pragma once

#include <cmath>
#include <cstdint>

namespace bifrons::kernels::ref {

template <class T>
void global_norm(std::int64_t n, const T* g, T* norm)
{
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i) sum += double(g[i]) * double(g[i]);
    *norm = T(std::sqrt(sum));
}

} // namespace bifrons::kernels::ref
