#include "kernels/pointwise/pixel_norm.h"

#include "kernels/device/dispatch.h"
#include "kernels/pointwise/pixel_norm_cpu.h"

namespace bifrons::kernels {

namespace {

void check(const char* op, ConstView a, ConstView b)
{
    BIFRONS_CHECK(shape, a.dtype == b.dtype && (a.dtype == DType::f32 || a.dtype == DType::f64), op, ": operands are ",
                  dtype_name(a.dtype), " and ", dtype_name(b.dtype), "; both f32 or both f64 expected");
}

} // namespace

Cost pixel_norm_fwd_cost(const PixelNormShape& s, DType dtype)
{
    return {.flops = 3.0 * double(s.size()), .bytes = 2.0 * double(s.size()) * double(dtype_bytes(dtype))};
}

void pixel_norm_fwd(Exec ex, const PixelNormShape& s, ConstView x, View y)
{
    check("pixel_norm_fwd", x, y);
    if (accounted(ex, "pixel_norm_fwd", pixel_norm_fwd_cost(s, x.dtype))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::pixel_norm_fwd(s, x, y); });
    throw_no_kernel(ex, "pixel_norm_fwd");
}

Cost pixel_norm_grad_cost(const PixelNormShape& s, DType dtype, const Store& d)
{
    return {.flops = 7.0 * double(s.size()),
            .bytes = 2.0 * double(s.size()) * double(dtype_bytes(dtype)) + d.bytes(s.size(), dtype)};
}

void pixel_norm_grad(Exec ex, const PixelNormShape& s, ConstView dy, ConstView x, const Store& d)
{
    check("pixel_norm_grad", dy, x);
    d.check("pixel_norm_grad", dy.dtype);
    if (accounted(ex, "pixel_norm_grad", pixel_norm_grad_cost(s, dy.dtype, d))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::pixel_norm_grad(s, dy, x, d); });
    throw_no_kernel(ex, "pixel_norm_grad");
}

} // namespace bifrons::kernels
