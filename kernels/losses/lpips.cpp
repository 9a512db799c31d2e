#include "kernels/losses/lpips.h"

#include "kernels/device/dispatch.h"
#include "kernels/device/grid.h"
#include "kernels/losses/lpips_cpu.h"

namespace bifrons::kernels {

namespace {

void check(const Exec& ex, const char* op, const LpipsShape& s, ConstView a, ConstView b, ConstView w, ConstView scalar)
{
    BIFRONS_CHECK(shape, s.rows >= 1 && s.C >= 1, op, ": ", s.rows, " rows of ", s.C,
                  "; expected at least one element");
    check_elements(ex, op, a.dtype);
    BIFRONS_CHECK(shape, a.dtype == b.dtype, op, ": a is ", dtype_name(a.dtype), ", b ", dtype_name(b.dtype));
    const DType wide = a.dtype == DType::f64 ? DType::f64 : DType::f32;
    BIFRONS_CHECK(shape, (!w || w.dtype == wide) && scalar.dtype == wide, op, ": weights are ", dtype_name(w.dtype),
                  ", the scalar is ", dtype_name(scalar.dtype), "; expected ", dtype_name(wide));
}

double read_bytes(const LpipsShape& s, DType dtype)
{
    return 2.0 * double(s.rows) * double(s.C) * double(dtype_bytes(dtype));
}

} // namespace

Cost lpips_fwd_cost(const LpipsShape& s, DType dtype, Target target)
{
    return {.flops = 9.0 * double(s.rows) * double(s.C),
            .bytes = read_bytes(s, dtype),
            .workspace_bytes = grid_sum_workspace(target)};
}

void lpips_fwd(Exec ex, const LpipsShape& s, ConstView a, ConstView b, ConstView w, float scale, View loss)
{
    check(ex, "lpips_fwd", s, a, b, w, loss);
    if (accounted(ex, "lpips_fwd", lpips_fwd_cost(s, a.dtype, ex.device->target()))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::lpips_fwd(s, a, b, w, scale, loss); });
    BIFRONS_SIMT(ex, "lpips_fwd", lpips_fwd(ex, s, a, b, w, scale, loss));
}

Cost lpips_grad_cost(const LpipsShape& s, DType dtype, const Store& d)
{
    return {.flops = 14.0 * double(s.rows) * double(s.C), .bytes = read_bytes(s, dtype) + d.bytes(s.rows * s.C, dtype)};
}

void lpips_grad(Exec ex, const LpipsShape& s, ConstView a, ConstView b, ConstView w, float scale, ConstView upstream,
                const Store& d)
{
    check(ex, "lpips_grad", s, a, b, w, upstream);
    d.check("lpips_grad", a.dtype);
    if (accounted(ex, "lpips_grad", lpips_grad_cost(s, a.dtype, d))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::lpips_grad(s, a, b, w, scale, upstream, d); });
    BIFRONS_SIMT(ex, "lpips_grad", lpips_grad(ex, s, a, b, w, scale, upstream, d));
}

} // namespace bifrons::kernels
