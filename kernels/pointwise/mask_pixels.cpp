#include "kernels/pointwise/mask_pixels.h"

namespace bifrons::kernels {

void MaskPixels::check(Target) const
{
    BIFRONS_CHECK(shape, s.rows >= 1 && s.C >= 1, "mask_pixels: ", s.rows, " rows of ", s.C,
                  "; expected at least one element");
    BIFRONS_CHECK(shape, m.dtype == x.dtype, "mask_pixels: x is ", dtype_name(x.dtype), ", the mask ",
                  dtype_name(m.dtype), "; expected the same type");
    d.check(kName, x.dtype);
}

Cost MaskPixels::cost(Target) const
{
    const std::int64_t n = s.rows * s.C;
    return {.flops = 3 * double(n), .bytes = double(n + s.rows) * double(dtype_bytes(x.dtype)) + d.bytes(n, x.dtype)};
}

} // namespace bifrons::kernels
