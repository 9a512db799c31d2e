#include "kernels/optim/adam.h"

#include "kernels/device/dispatch.h"
#include "kernels/device/grid.h"
#include "kernels/optim/adam_cpu.h"

namespace bifrons::kernels {

Cost adam_cost(std::int64_t n, DType dtype, bool packed)
{
    return {.flops = 14.0 * double(n), .bytes = double(n) * (7.0 * double(dtype_bytes(dtype)) + (packed ? 2 : 0))};
}

void adam(Exec ex, std::int64_t n, const AdamOptions& o, const StepState* state, View w, ConstView g, View m, View v,
          View packed)
{
    BIFRONS_CHECK(shape, w.dtype == g.dtype && w.dtype == m.dtype && w.dtype == v.dtype, "adam: w is ",
                  dtype_name(w.dtype), ", g ", dtype_name(g.dtype), ", m ", dtype_name(m.dtype), ", v ",
                  dtype_name(v.dtype), "; all alike expected");
    if (accounted(ex, "adam", adam_cost(n, w.dtype, bool(packed)))) return;
    BIFRONS_CHECK(bug, !packed || !on_cpu(ex), "adam: a packed copy is for GPUs only");
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::adam(n, o, *state, w, g, m, v); });
    BIFRONS_SIMT(ex, "adam", adam(ex, n, o, state, w, g, m, v, packed));
}

Cost global_norm_cost(std::int64_t n, DType dtype, Target target)
{
    return {.flops = 2.0 * double(n),
            .bytes = double(n) * double(dtype_bytes(dtype)),
            .workspace_bytes = grid_sum_workspace(target)};
}

void global_norm(Exec ex, std::int64_t n, ConstView g, View norm)
{
    BIFRONS_CHECK(shape, g.dtype == norm.dtype, "global_norm: the gradients are ", dtype_name(g.dtype),
                  ", the norm is ", dtype_name(norm.dtype), "; both alike expected");
    if (accounted(ex, "global_norm", global_norm_cost(n, g.dtype, ex.device->target()))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::global_norm(n, g, norm); });
    BIFRONS_SIMT(ex, "global_norm", global_norm(ex, n, g, norm));
}

} // namespace bifrons::kernels
