#include "kernels/losses/mse.h"

namespace bifrons::kernels {

void MseFwd::check(Target) const
{
    s.check(kName, a, b, mask);
}

Cost MseFwd::cost(Target target) const
{
    return s.fwd_cost(a.dtype, bool(mask), target);
}

void MseGrad::check(Target) const
{
    s.check(kName, a, b, mask);
    d.check(kName, a.dtype);
}

Cost MseGrad::cost(Target) const
{
    return s.grad_cost(a.dtype, bool(mask), d);
}

} // namespace bifrons::kernels
