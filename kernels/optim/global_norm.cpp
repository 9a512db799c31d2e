#include "kernels/optim/global_norm.h"

#include "kernels/base/clones.h"
#include "kernels/base/on_type.h"
#include "kernels/base/parallel.h"
#include "kernels/device/dispatch.h"
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

Cost global_norm_cost(std::int64_t n, DType dtype, Target target)
{
    return {.flops = 2.0 * double(n),
            .bytes = double(n) * double(dtype_bytes(dtype)),
            .workspace_bytes = grid_sum_workspace(target)};
}

void global_norm(Exec ex, std::int64_t n, ConstView g, View norm)
{
    BIFRONS_CHECK(shape, g.dtype == norm.dtype, "global_norm: the gradients are ", dtype_name(g.dtype),
                  ", the norm is ", dtype_name(norm.dtype), "; expected the same type");
    if (accounted(ex, "global_norm", global_norm_cost(n, g.dtype, ex.device->target()))) return;
    if (on_cpu(ex))
        return ex.device->enqueue(ex.stream, [=] {
            on_type<float, double>(g.dtype, [&]<class T>() { norm_of(n, g.as<T>(), norm.as<T>()); });
        });
    BIFRONS_SIMT(ex, "global_norm", global_norm(ex, n, g, norm));
}

} // namespace bifrons::kernels
