#include "kernels/losses/l1.h"

#include "kernels/device/dispatch.h"
#include "kernels/device/grid.h"
#include "kernels/losses/l1_cpu.h"

namespace bifrons::kernels {

namespace {

void check(const char* op, const L1Shape& s, ConstView a, ConstView b, ConstView mask)
{
    BIFRONS_CHECK(shape, s.rows >= 1 && s.C >= 1, op, ": ", s.rows, " rows of ", s.C,
                  "; at least one element expected");
    BIFRONS_CHECK(shape, a.dtype == b.dtype && (!mask || mask.dtype == a.dtype), op, ": a is ", dtype_name(a.dtype),
                  ", b ", dtype_name(b.dtype), ", the mask ", dtype_name(mask.dtype), "; all alike expected");
}

double read_bytes(const L1Shape& s, DType dtype, bool masked)
{
    return (2 * double(s.rows) * double(s.C) + (masked ? double(s.rows) : 0)) * double(dtype_bytes(dtype));
}

} // namespace

Cost l1_fwd_cost(const L1Shape& s, DType dtype, bool masked, Target target)
{
    return {.flops = 3 * double(s.rows) * double(s.C),
            .bytes = read_bytes(s, dtype, masked),
            .workspace_bytes = grid_sum_workspace(target)};
}

void l1_fwd(Exec ex, const L1Shape& s, ConstView a, ConstView b, ConstView mask, float scale, View loss)
{
    check("l1_fwd", s, a, b, mask);
    if (accounted(ex, "l1_fwd", l1_fwd_cost(s, a.dtype, bool(mask), ex.device->target()))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::l1_fwd(s, a, b, mask, scale, loss); });
    BIFRONS_SIMT(ex, "l1_fwd", l1_fwd(ex, s, a, b, mask, scale, loss));
}

Cost l1_grad_cost(const L1Shape& s, DType dtype, bool masked, const Store& d)
{
    const std::int64_t n = s.rows * s.C;
    Cost cost = store_gradient_cost(n, dtype, d); // counts a read of v, which is never stored
    cost.flops += (masked ? 3 : 2) * double(n);
    cost.bytes += read_bytes(s, dtype, masked) - double(n) * double(dtype_bytes(dtype));
    return cost;
}

void l1_grad(Exec ex, const L1Shape& s, ConstView a, ConstView b, ConstView mask, float scale, ConstView upstream,
             const Store& d)
{
    check("l1_grad", s, a, b, mask);
    BIFRONS_CHECK(shape, d.act.kind == Act::none || d.saved, "l1_grad: an activation needs its saved value");
    if (accounted(ex, "l1_grad", l1_grad_cost(s, a.dtype, bool(mask), d))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::l1_grad(s, a, b, mask, scale, upstream, d); });
    BIFRONS_SIMT(ex, "l1_grad", l1_grad(ex, s, a, b, mask, scale, upstream, d));
}

} // namespace bifrons::kernels
