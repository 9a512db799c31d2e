#include "kernels/losses/dssim.h"

#include "kernels/device/dispatch.h"
#include "kernels/losses/dssim_cpu.h"
#include "kernels/losses/dssim_window.h"

namespace bifrons::kernels {

namespace {

void check(const char* op, const DssimShape& s, ConstView a, ConstView b, ConstView mask)
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

Cost dssim_fwd_cost(const DssimShape& s, DType dtype, bool slopes, Target target)
{
    return {.flops = filter_flops(s, 4) + (slopes ? 35 : 20) * double(s.windows()),
            .bytes = 2 * picture_bytes(s, dtype) + (slopes ? slope_bytes(s, dtype) : 0),
            .workspace_bytes = target.kind == DeviceKind::cpu ? cpu::dssim_fwd_scratch(s, dtype)
                                                              : std::size_t(dssim_blocks(s)) * sizeof(double)};
}

void dssim_fwd(Exec ex, const DssimShape& s, ConstView a, ConstView b, ConstView mask, float scale, View loss,
               View slopes)
{
    check("dssim_fwd", s, a, b, mask);
    if (accounted(ex, "dssim_fwd", dssim_fwd_cost(s, a.dtype, bool(slopes), ex.device->target()))) return;
    if (on_cpu(ex))
        return ex.device->enqueue(ex.stream, [=] { cpu::dssim_fwd(s, a, b, mask, scale, loss, slopes, ex.workspace); });
    BIFRONS_SIMT(ex, "dssim_fwd", dssim_fwd(ex, s, a, b, mask, scale, loss, slopes));
}

Cost dssim_grad_cost(const DssimShape& s, DType dtype, const Store& d, Target target)
{
    const Cost store = store_gradient_cost(s.N * s.H * s.W * s.C, dtype, d); // counts a read of v, which is not stored
    return {.flops = filter_flops(s, 3) + 6 * double(s.N * s.H * s.W * s.C) + store.flops,
            .bytes = slope_bytes(s, dtype) + 2 * picture_bytes(s, dtype) + store.bytes - picture_bytes(s, dtype),
            .workspace_bytes = target.kind == DeviceKind::cpu ? cpu::dssim_grad_scratch(s, dtype) : 0};
}

void dssim_grad(Exec ex, const DssimShape& s, ConstView a, ConstView b, ConstView mask, float scale, ConstView slopes,
                ConstView upstream, const Store& d)
{
    check("dssim_grad", s, a, b, mask);
    d.check("dssim_grad", a.dtype);
    BIFRONS_CHECK(bug, slopes, "dssim_grad: slopes are missing; dssim_fwd writes them");
    if (accounted(ex, "dssim_grad", dssim_grad_cost(s, a.dtype, d, ex.device->target()))) return;
    if (on_cpu(ex))
        return ex.device->enqueue(ex.stream,
                                  [=] { cpu::dssim_grad(s, a, b, mask, scale, slopes, upstream, d, ex.workspace); });
    BIFRONS_SIMT(ex, "dssim_grad", dssim_grad(ex, s, a, b, mask, scale, slopes, upstream, d));
}

} // namespace bifrons::kernels
