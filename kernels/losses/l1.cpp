#include "kernels/losses/l1.h"

namespace bifrons::kernels {

void L1Fwd::check(Target) const
{
    s.check(kName, a, b, mask);
}

Cost L1Fwd::cost(Target target) const
{
    return s.fwd_cost(a.dtype, bool(mask), target);
}

void L1Grad::check(Target) const
{
    s.check(kName, a, b, mask);
    d.check(kName, a.dtype);
}

Cost L1Grad::cost(Target) const
{
    return s.grad_cost(a.dtype, bool(mask), d);
}

} // namespace bifrons::kernels
