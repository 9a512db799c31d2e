#include "kernels/losses/style.h"

#include "kernels/device/dispatch.h"
#include "kernels/losses/style_cpu.h"

namespace bifrons::kernels {

namespace {

void check(const char* op, const StyleShape& s, std::initializer_list<DType> dtypes)
{
    BIFRONS_CHECK(shape, s.N >= 1 && s.pixels >= 1 && s.C >= 1, op, ": ", s.N, " pictures of ", s.pixels, " pixels of ",
                  s.C, " channels; expected at least one of each");
    for (const DType dtype : dtypes)
        BIFRONS_CHECK(shape, dtype == *dtypes.begin(), op, ": operands of ", dtype_name(*dtypes.begin()), " and ",
                      dtype_name(dtype), "; expected the same type");
}

} // namespace

Cost style_fwd_cost(const StyleShape& s, DType dtype)
{
    return {.flops = 8 * double(s.size()), .bytes = 4 * double(s.size()) * double(dtype_bytes(dtype))};
}

void style_fwd(Exec ex, const StyleShape& s, ConstView x, ConstView t, float scale, View loss, View moments)
{
    check("style_fwd", s, {x.dtype, t.dtype, loss.dtype, moments.dtype});
    if (accounted(ex, "style_fwd", style_fwd_cost(s, x.dtype))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::style_fwd(s, x, t, scale, loss, moments); });
    BIFRONS_SIMT(ex, "style_fwd", style_fwd(ex, s, x, t, scale, loss, moments));
}

Cost style_grad_cost(const StyleShape& s, DType dtype, const Store& d)
{
    Cost cost = store_gradient_cost(s.size(), dtype, d); // its read of v stands for that of x
    cost.flops += 4 * double(s.size());
    return cost;
}

void style_grad(Exec ex, const StyleShape& s, ConstView x, ConstView moments, float scale, ConstView upstream,
                const Store& d)
{
    check("style_grad", s, {x.dtype, moments.dtype, upstream.dtype});
    d.check("style_grad", x.dtype);
    if (accounted(ex, "style_grad", style_grad_cost(s, x.dtype, d))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::style_grad(s, x, moments, scale, upstream, d); });
    BIFRONS_SIMT(ex, "style_grad", style_grad(ex, s, x, moments, scale, upstream, d));
}

} // namespace bifrons::kernels
