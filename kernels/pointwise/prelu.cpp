#include "kernels/pointwise/prelu.h"

#include "kernels/device/dispatch.h"
#include "kernels/pointwise/prelu_cpu.h"

namespace bifrons::kernels {

Cost prelu_cost(const PreluShape& s, DType dtype)
{
    const double rows = double(s.rows), width = double(s.C), added = double(s.A);
    return {.flops = rows * (width + added),
            .bytes = (rows * (2 * width + added) + width) * double(dtype_bytes(dtype))};
}

void prelu(Exec ex, const PreluShape& s, ConstView x, ConstView add, ConstView slope, View y)
{
    BIFRONS_CHECK(shape, s.rows >= 1 && s.C >= 1 && s.A >= 0 && s.A <= s.C && bool(add) == (s.A > 0), "prelu: ", s.rows,
                  " rows of ", s.C, " channels, ", s.A, " of them added to; expected up to ", s.C);
    BIFRONS_CHECK(shape, slope.dtype == x.dtype && y.dtype == x.dtype && (!add || add.dtype == x.dtype), "prelu: x is ",
                  dtype_name(x.dtype), ", the slope ", dtype_name(slope.dtype), ", y ", dtype_name(y.dtype),
                  add ? str(", add ", dtype_name(add.dtype)) : "", "; expected the same type");
    if (accounted(ex, "prelu", prelu_cost(s, x.dtype))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::prelu(s, x, add, slope, y); });
    BIFRONS_SIMT(ex, "prelu", prelu(ex, s, x, add, slope, y));
}

} // namespace bifrons::kernels
