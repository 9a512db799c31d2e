#include "kernels/losses/adversarial.h"

#include "kernels/device/dispatch.h"
#include "kernels/device/grid.h"
#include "kernels/losses/adversarial_cpu.h"

namespace bifrons::kernels {

namespace {

void check(const char* op, const AdversarialShape& s)
{
    BIFRONS_CHECK(shape, s.n >= 1, op, ": ", s.n, " answers; expected at least one");
}

double read_bytes(const AdversarialShape& s, DType dtype)
{
    return double(s.n) * double(dtype_bytes(dtype));
}

} // namespace

Cost adversarial_fwd_cost(const AdversarialShape& s, DType dtype, Target device)
{
    return {.flops = 3 * double(s.n), .bytes = read_bytes(s, dtype), .workspace_bytes = grid_sum_workspace(device)};
}

void adversarial_fwd(Exec ex, const AdversarialShape& s, ConstView x, float scale, View loss)
{
    check("adversarial_fwd", s);
    if (accounted(ex, "adversarial_fwd", adversarial_fwd_cost(s, x.dtype, ex.device->target()))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::adversarial_fwd(s, x, scale, loss); });
    BIFRONS_SIMT(ex, "adversarial_fwd", adversarial_fwd(ex, s, x, scale, loss));
}

Cost adversarial_grad_cost(const AdversarialShape& s, DType dtype, const Store& d)
{
    Cost cost = store_gradient_cost(s.n, dtype, d); // counts a read of v, which is never stored, instead of x
    cost.flops += 3 * double(s.n);
    return cost;
}

void adversarial_grad(Exec ex, const AdversarialShape& s, ConstView x, float scale, ConstView upstream, const Store& d)
{
    check("adversarial_grad", s);
    d.check("adversarial_grad", x.dtype);
    if (accounted(ex, "adversarial_grad", adversarial_grad_cost(s, x.dtype, d))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::adversarial_grad(s, x, scale, upstream, d); });
    BIFRONS_SIMT(ex, "adversarial_grad", adversarial_grad(ex, s, x, scale, upstream, d));
}

} // namespace bifrons::kernels
