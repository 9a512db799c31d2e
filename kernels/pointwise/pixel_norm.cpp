#include "kernels/pointwise/pixel_norm.h"

#include "kernels/device/dispatch.h"
#include "kernels/pointwise/pixel_norm_cpu.h"

namespace bifrons::kernels {

namespace {

void check(const Exec& ex, const char* op, ConstView a, ConstView b)
{
    check_elements(ex, op, a.dtype);
    BIFRONS_CHECK(shape, a.dtype == b.dtype, op, ": operands are ", dtype_name(a.dtype), " and ", dtype_name(b.dtype),
                  "; expected the same type");
}

std::size_t workspace_bytes(const PixelNormShape& s, Target target)
{
    return target.kind == DeviceKind::cpu ? 0 : std::size_t(s.N * pixel_norm_blocks(s)) * sizeof(PixelNormMoments);
}

} // namespace

Cost pixel_norm_fwd_cost(const PixelNormShape& s, DType dtype, Target target)
{
    return {.flops = 3.0 * double(s.size()),
            .bytes = 2.0 * double(s.size()) * double(dtype_bytes(dtype)),
            .workspace_bytes = workspace_bytes(s, target)};
}

void pixel_norm_fwd(Exec ex, const PixelNormShape& s, ConstView x, View y)
{
    check(ex, "pixel_norm_fwd", x, y);
    if (accounted(ex, "pixel_norm_fwd", pixel_norm_fwd_cost(s, x.dtype, ex.device->target()))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::pixel_norm_fwd(s, x, y); });
    BIFRONS_SIMT(ex, "pixel_norm_fwd", pixel_norm_fwd(ex, s, x, y));
}

Cost pixel_norm_grad_cost(const PixelNormShape& s, DType dtype, const Store& d, Target target)
{
    return {.flops = 7.0 * double(s.size()),
            .bytes = 2.0 * double(s.size()) * double(dtype_bytes(dtype)) + d.bytes(s.size(), dtype),
            .workspace_bytes = workspace_bytes(s, target)};
}

void pixel_norm_grad(Exec ex, const PixelNormShape& s, ConstView dy, ConstView x, const Store& d)
{
    check(ex, "pixel_norm_grad", dy, x);
    d.check("pixel_norm_grad", dy.dtype);
    if (accounted(ex, "pixel_norm_grad", pixel_norm_grad_cost(s, dy.dtype, d, ex.device->target()))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::pixel_norm_grad(s, dy, x, d); });
    BIFRONS_SIMT(ex, "pixel_norm_grad", pixel_norm_grad(ex, s, dy, x, d));
}

} // namespace bifrons::kernels
