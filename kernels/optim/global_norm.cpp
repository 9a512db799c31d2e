#include "kernels/optim/global_norm.h"

#include "kernels/base/clones.h"
#include "kernels/base/on_type.h"
#include "kernels/base/parallel.h"
#include "kernels/device/grid.h"

#include <cmath>

namespace bifrons::kernels {

namespace {

template <class T>
BIFRONS_CLONES double sum_of_squares(std::int64_t n, const T* g)
{
    return lane_sum(n, [=](std::int64_t i) { return double(g[i]) * double(g[i]); });
}

template <class T>
void norm_of(std::int64_t n, const T* g, T* norm)
{
    *norm = T(std::sqrt(parallel_sum(n, [&](auto begin, auto end) { return sum_of_squares(end - begin, g + begin); })));
}

} // namespace

void GlobalNorm::check(Target) const
{
    BIFRONS_CHECK(shape, g.dtype == norm.dtype, "global_norm: the gradients are ", dtype_name(g.dtype),
                  ", the norm is ", dtype_name(norm.dtype), "; expected the same type");
}

Cost GlobalNorm::cost(Target target) const
{
    return {.flops = 2.0 * double(n),
            .bytes = double(n) * double(dtype_bytes(g.dtype)),
            .workspace_bytes = grid_sum_workspace(target)};
}

void cpu::run(Exec, const GlobalNorm& op)
{
    on_type<float, double>(op.g.dtype, [&]<class T>() { norm_of(op.n, op.g.as<T>(), op.norm.as<T>()); });
}

} // namespace bifrons::kernels
