#include "kernels/pointwise/mask_pixels.h"

#include "kernels/device/dispatch.h"
#include "kernels/pointwise/mask_pixels_cpu.h"

namespace bifrons::kernels {

Cost mask_pixels_cost(const MaskShape& s, DType dtype, const Store& d)
{
    Cost cost = store_gradient_cost(s.rows * s.C, dtype, d);
    cost.flops += double(s.rows) * double(s.C);
    cost.bytes += double(s.rows) * double(dtype_bytes(dtype));
    return cost;
}

void mask_pixels(Exec ex, const MaskShape& s, ConstView x, ConstView m, const Store& d)
{
    BIFRONS_CHECK(shape, s.rows >= 1 && s.C >= 1, "mask_pixels: ", s.rows, " rows of ", s.C,
                  "; expected at least one element");
    BIFRONS_CHECK(shape, m.dtype == x.dtype, "mask_pixels: x is ", dtype_name(x.dtype), ", the mask ",
                  dtype_name(m.dtype), "; expected the same type");
    d.check("mask_pixels", x.dtype);
    if (accounted(ex, "mask_pixels", mask_pixels_cost(s, x.dtype, d))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::mask_pixels(s, x, m, d); });
    BIFRONS_SIMT(ex, "mask_pixels", mask_pixels(ex, s, x, m, d));
}

} // namespace bifrons::kernels
