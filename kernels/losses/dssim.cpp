#include "kernels/losses/dssim.h"

#include "kernels/losses/dssim_cpu.h"
#include "kernels/losses/dssim_window.h"

namespace bifrons::kernels {

namespace {

void check_operands(const char* op, const DssimShape& s, ConstView a, ConstView b, ConstView mask)
{
    BIFRONS_CHECK(shape, s.N >= 1 && s.C >= 1 && s.window >= 2 && s.window <= std::min(s.H, s.W), op, ": window ",
                  s.window, " on ", s.N, " pictures of ", s.H, "x", s.W, "x", s.C,
                  "; expected a window of 2 to the shorter side");
    BIFRONS_CHECK(shape, a.dtype == b.dtype && (!mask || mask.dtype == a.dtype), op, ": a is ", dtype_name(a.dtype),
                  ", b ", dtype_name(b.dtype), ", the mask ", dtype_name(mask.dtype), "; expected the same type");
}

/// `maps` filtered in two directions, two FLOPs a tap.
double filter_flops(const DssimShape& s, int maps)
{
    return 4.0 * maps * dssim_taps(s.window) * double(s.windows());
}

double picture_bytes(const DssimShape& s, DType dtype)
{
    return double(s.N * s.H * s.W * s.C) * double(dtype_bytes(dtype));
}

double slope_bytes(const DssimShape& s, DType dtype)
{
    return 3.0 * double(s.windows()) * double(dtype_bytes(dtype));
}

} // namespace

void DssimFwd::check(Target) const
{
    check_operands(kName, s, a, b, mask);
}

Cost DssimFwd::cost(Target target) const
{
    return {.flops = filter_flops(s, 4) + (slopes ? 35 : 20) * double(s.windows()),
            .bytes = 2 * picture_bytes(s, a.dtype) + (slopes ? slope_bytes(s, a.dtype) : 0),
            .workspace_bytes = target.kind == DeviceKind::cpu ? cpu::dssim_fwd_scratch(s, a.dtype)
                                                              : std::size_t(dssim_blocks(s)) * sizeof(double)};
}

void DssimGrad::check(Target) const
{
    check_operands(kName, s, a, b, mask);
    d.check(kName, a.dtype);
    BIFRONS_CHECK(bug, slopes, "dssim_grad: slopes are missing; dssim_fwd writes them");
}

Cost DssimGrad::cost(Target target) const
{
    const std::int64_t n = s.N * s.H * s.W * s.C;
    return {.flops = filter_flops(s, 3) + 8 * double(n),
            .bytes = slope_bytes(s, a.dtype) + 2 * picture_bytes(s, a.dtype) + d.bytes(n, a.dtype),
            .workspace_bytes = target.kind == DeviceKind::cpu ? cpu::dssim_grad_scratch(s, a.dtype) : 0};
}

} // namespace bifrons::kernels
