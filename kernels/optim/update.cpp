#include "kernels/optim/update.h"

namespace bifrons::kernels {

void Update::check(Target) const
{
    BIFRONS_CHECK(shape,
                  a.g.dtype == a.w.dtype && a.v.dtype == a.w.dtype && (!a.m || a.m.dtype == a.w.dtype) &&
                      (!a.average || a.average.dtype == a.w.dtype),
                  "update: w is ", dtype_name(a.w.dtype), ", g ", dtype_name(a.g.dtype), ", m ", dtype_name(a.m.dtype),
                  ", v ", dtype_name(a.v.dtype), "; expected the same type");
    BIFRONS_CHECK(bug, bool(a.m) == keeps_mean(o.rule), "update: m is ", a.m ? "given" : "not given",
                  "; that is not what the rule keeps");
    BIFRONS_CHECK(bug, first % 4 == 0, "update: begins at element ", first, "; expected a multiple of 4");
    BIFRONS_CHECK(usage, o.keep > 0 && o.keep <= 1, "update: keep is ", o.keep, "; expected more than 0 and at most 1");
}

Cost Update::cost(Target) const
{
    const double accesses = 5 + (keeps_mean(o.rule) ? 2 : 0) + (a.average ? 2 : 0);
    return {.flops = 14.0 * double(n),
            .bytes = double(n) * (accesses * double(dtype_bytes(a.w.dtype)) + (a.packed ? 2 : 0))};
}

} // namespace bifrons::kernels
