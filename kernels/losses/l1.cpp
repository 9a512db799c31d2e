#include "kernels/losses/l1.h"

#include "kernels/device/dispatch.h"
#include "kernels/losses/l1_cpu.h"

namespace bifrons::kernels {

Cost l1_fwd_cost(const L1Shape& s, DType dtype, bool masked, Target target)
{
    return s.fwd_cost(dtype, masked, target);
}

void l1_fwd(Exec ex, const L1Shape& s, ConstView a, ConstView b, ConstView mask, float scale, View loss)
{
    s.check("l1_fwd", a, b, mask);
    if (accounted(ex, "l1_fwd", l1_fwd_cost(s, a.dtype, bool(mask), ex.device->target()))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::l1_fwd(s, a, b, mask, scale, loss); });
    BIFRONS_SIMT(ex, "l1_fwd", l1_fwd(ex, s, a, b, mask, scale, loss));
}

Cost l1_grad_cost(const L1Shape& s, DType dtype, bool masked, const Store& d)
{
    return s.grad_cost(dtype, masked, d);
}

void l1_grad(Exec ex, const L1Shape& s, ConstView a, ConstView b, ConstView mask, float scale, ConstView upstream,
             const Store& d)
{
    s.check("l1_grad", a, b, mask);
    d.check("l1_grad", a.dtype);
    if (accounted(ex, "l1_grad", l1_grad_cost(s, a.dtype, bool(mask), d))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::l1_grad(s, a, b, mask, scale, upstream, d); });
    BIFRONS_SIMT(ex, "l1_grad", l1_grad(ex, s, a, b, mask, scale, upstream, d));
}

} // namespace bifrons::kernels
