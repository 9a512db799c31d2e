#include "kernels/losses/bce.h"

#include "kernels/device/dispatch.h"
#include "kernels/device/grid.h"
#include "kernels/losses/bce_cpu.h"

namespace bifrons::kernels {

namespace {

void check(const char* op, const BceShape& s, ConstView x, ConstView target, ConstView mask)
{
    BIFRONS_CHECK(shape, s.rows >= 1 && s.C >= 1, op, ": ", s.rows, " rows of ", s.C,
                  "; expected at least one element");
    BIFRONS_CHECK(shape, s.label >= 0 && s.label <= 1, op, ": label ", s.label, "; expected 0 to 1");
    for (const ConstView part : {target, mask})
        BIFRONS_CHECK(shape, !part || part.dtype == x.dtype, op, ": a target or mask is ", dtype_name(part.dtype),
                      ", the logits are ", dtype_name(x.dtype), "; expected the same type");
}

double read_bytes(const BceShape& s, DType dtype, bool target, bool masked)
{
    const double n = double(s.rows) * double(s.C);
    return (n + (target ? n : 0) + (masked ? double(s.rows) : 0)) * double(dtype_bytes(dtype));
}

} // namespace

Cost bce_fwd_cost(const BceShape& s, DType dtype, bool target, bool masked, Target device)
{
    return {.flops = 8 * double(s.rows) * double(s.C),
            .bytes = read_bytes(s, dtype, target, masked),
            .workspace_bytes = grid_sum_workspace(device)};
}

void bce_fwd(Exec ex, const BceShape& s, ConstView x, ConstView target, ConstView mask, float scale, View loss)
{
    check("bce_fwd", s, x, target, mask);
    if (accounted(ex, "bce_fwd", bce_fwd_cost(s, x.dtype, bool(target), bool(mask), ex.device->target()))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::bce_fwd(s, x, target, mask, scale, loss); });
    BIFRONS_SIMT(ex, "bce_fwd", bce_fwd(ex, s, x, target, mask, scale, loss));
}

Cost bce_grad_cost(const BceShape& s, DType dtype, bool target, bool masked, const Store& d)
{
    const std::int64_t n = s.rows * s.C;
    Cost cost = store_gradient_cost(n, dtype, d); // counts a read of v, which is never stored
    cost.flops += 7 * double(n);
    cost.bytes += read_bytes(s, dtype, target, masked) - double(n) * double(dtype_bytes(dtype));
    return cost;
}

void bce_grad(Exec ex, const BceShape& s, ConstView x, ConstView target, ConstView mask, float scale,
              ConstView upstream, const Store& d)
{
    check("bce_grad", s, x, target, mask);
    d.check("bce_grad", x.dtype);
    if (accounted(ex, "bce_grad", bce_grad_cost(s, x.dtype, bool(target), bool(mask), d))) return;
    if (on_cpu(ex))
        return ex.device->enqueue(ex.stream, [=] { cpu::bce_grad(s, x, target, mask, scale, upstream, d); });
    BIFRONS_SIMT(ex, "bce_grad", bce_grad(ex, s, x, target, mask, scale, upstream, d));
}

} // namespace bifrons::kernels
