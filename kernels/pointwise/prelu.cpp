#include "kernels/pointwise/prelu.h"

namespace bifrons::kernels {

void Prelu::check(Target) const
{
    BIFRONS_CHECK(shape, s.rows >= 1 && s.C >= 1 && s.A >= 0 && s.A <= s.C && bool(add) == (s.A > 0), "prelu: ", s.rows,
                  " rows of ", s.C, " channels, ", s.A, " of them added to; expected up to ", s.C);
    BIFRONS_CHECK(shape, slope.dtype == x.dtype && y.dtype == x.dtype && (!add || add.dtype == x.dtype), "prelu: x is ",
                  dtype_name(x.dtype), ", the slope ", dtype_name(slope.dtype), ", y ", dtype_name(y.dtype),
                  add ? str(", add ", dtype_name(add.dtype)) : "", "; expected the same type");
}

Cost Prelu::cost(Target) const
{
    const double rows = double(s.rows), width = double(s.C), added = double(s.A);
    return {.flops = rows * (width + added),
            .bytes = (rows * (2 * width + added) + width) * double(dtype_bytes(x.dtype))};
}

} // namespace bifrons::kernels
