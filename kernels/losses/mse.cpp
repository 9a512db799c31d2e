#include "kernels/losses/mse.h"

#include "kernels/device/dispatch.h"
#include "kernels/losses/mse_cpu.h"

namespace bifrons::kernels {

Cost mse_fwd_cost(const MseShape& s, DType dtype, bool masked, Target target)
{
    return s.fwd_cost(dtype, masked, target);
}

void mse_fwd(Exec ex, const MseShape& s, ConstView a, ConstView b, ConstView mask, float scale, View loss)
{
    s.check("mse_fwd", a, b, mask);
    if (accounted(ex, "mse_fwd", mse_fwd_cost(s, a.dtype, bool(mask), ex.device->target()))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::mse_fwd(s, a, b, mask, scale, loss); });
    BIFRONS_SIMT(ex, "mse_fwd", mse_fwd(ex, s, a, b, mask, scale, loss));
}

Cost mse_grad_cost(const MseShape& s, DType dtype, bool masked, const Store& d)
{
    return s.grad_cost(dtype, masked, d);
}

void mse_grad(Exec ex, const MseShape& s, ConstView a, ConstView b, ConstView mask, float scale, ConstView upstream,
              const Store& d)
{
    s.check("mse_grad", a, b, mask);
    d.check("mse_grad", a.dtype);
    if (accounted(ex, "mse_grad", mse_grad_cost(s, a.dtype, bool(mask), d))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::mse_grad(s, a, b, mask, scale, upstream, d); });
    BIFRONS_SIMT(ex, "mse_grad", mse_grad(ex, s, a, b, mask, scale, upstream, d));
}

} // namespace bifrons::kernels
