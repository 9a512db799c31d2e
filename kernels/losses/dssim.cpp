#include "kernels/losses/dssim.h"

#include "kernels/device/dispatch.h"
#include "kernels/losses/dssim_cpu.h"

namespace bifrons::kernels {

namespace {

void check(const char* op, const DssimShape& s, ConstView a, ConstView b, ConstView mask)
{
    BIFRONS_CHECK(shape, s.N >= 1 && s.C >= 1 && s.window >= 2 && s.window <= std::min(s.H, s.W), op, ": window ",
                  s.window, " on ", s.N, " pictures of ", s.H, "x", s.W, "x", s.C, "; 2 to the shorter side expected");
    BIFRONS_CHECK(shape, a.dtype == b.dtype && (!mask || mask.dtype == a.dtype), op, ": a is ", dtype_name(a.dtype),
                  ", b ", dtype_name(b.dtype), ", the mask ", dtype_name(mask.dtype), "; all alike expected");
}

double windows(const DssimShape& s)
{
    return double(s.N) * double(s.H - s.window + 1) * double(s.W - s.window + 1) * double(s.C);
}

/// `maps` filtered in two directions, two FLOPs a tap.
double filter_flops(const DssimShape& s, int maps)
{
    return 4.0 * maps * cpu::dssim_taps(s.window) * windows(s);
}

double picture_bytes(const DssimShape& s, DType dtype)
{
    return double(s.N * s.H * s.W * s.C) * double(dtype_bytes(dtype));
}

} // namespace

Cost dssim_fwd_cost(const DssimShape& s, DType dtype, Target target)
{
    return {.flops = filter_flops(s, 4) + 20 * windows(s),
            .bytes = 2 * picture_bytes(s, dtype),
            .workspace_bytes = target.kind == DeviceKind::cpu ? cpu::dssim_fwd_scratch(s, dtype) : 0};
}

void dssim_fwd(Exec ex, const DssimShape& s, ConstView a, ConstView b, ConstView mask, float scale, View loss)
{
    check("dssim_fwd", s, a, b, mask);
    if (accounted(ex, "dssim_fwd", dssim_fwd_cost(s, a.dtype, ex.device->target()))) return;
    if (on_cpu(ex))
        return ex.device->enqueue(ex.stream, [=] { cpu::dssim_fwd(s, a, b, mask, scale, loss, ex.workspace); });
    throw_no_kernel(ex, "dssim_fwd");
}

Cost dssim_grad_cost(const DssimShape& s, DType dtype, const Store& d, Target target)
{
    const Cost store = store_gradient_cost(s.N * s.H * s.W * s.C, dtype, d); // counts a read of v, which is not stored
    return {.flops = filter_flops(s, 4 + 3) + 40 * windows(s) + store.flops,
            .bytes = 2 * picture_bytes(s, dtype) + store.bytes - picture_bytes(s, dtype),
            .workspace_bytes = target.kind == DeviceKind::cpu ? cpu::dssim_grad_scratch(s, dtype) : 0};
}

void dssim_grad(Exec ex, const DssimShape& s, ConstView a, ConstView b, ConstView mask, float scale, ConstView upstream,
                const Store& d)
{
    check("dssim_grad", s, a, b, mask);
    BIFRONS_CHECK(shape, d.act.kind == Act::none || d.saved, "dssim_grad: an activation needs its saved value");
    if (accounted(ex, "dssim_grad", dssim_grad_cost(s, a.dtype, d, ex.device->target()))) return;
    if (on_cpu(ex))
        return ex.device->enqueue(ex.stream, [=] { cpu::dssim_grad(s, a, b, mask, scale, upstream, d, ex.workspace); });
    throw_no_kernel(ex, "dssim_grad");
}

} // namespace bifrons::kernels
