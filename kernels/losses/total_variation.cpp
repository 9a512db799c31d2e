#include "kernels/losses/total_variation.h"

#include "kernels/device/dispatch.h"
#include "kernels/device/grid.h"
#include "kernels/losses/total_variation_cpu.h"

namespace bifrons::kernels {

namespace {

void check(const char* op, const TotalVariationShape& s)
{
    BIFRONS_CHECK(shape, s.size() >= 1, op, ": [", s.N, ",", s.H, ",", s.W, ",", s.C,
                  "]; expected at least one element");
}

} // namespace

Cost total_variation_fwd_cost(const TotalVariationShape& s, DType dtype, Target device)
{
    return {.flops = 6 * double(s.size()),
            .bytes = double(s.size()) * double(dtype_bytes(dtype)),
            .workspace_bytes = grid_sum_workspace(device)};
}

void total_variation_fwd(Exec ex, const TotalVariationShape& s, ConstView p, float scale, View loss)
{
    check("total_variation_fwd", s);
    if (accounted(ex, "total_variation_fwd", total_variation_fwd_cost(s, p.dtype, ex.device->target()))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::total_variation_fwd(s, p, scale, loss); });
    BIFRONS_SIMT(ex, "total_variation_fwd", total_variation_fwd(ex, s, p, scale, loss));
}

Cost total_variation_grad_cost(const TotalVariationShape& s, DType dtype, const Store& d)
{
    Cost cost = store_gradient_cost(s.size(), dtype, d); // counts a read of v, which is never stored, instead of p
    cost.flops += 9 * double(s.size());
    return cost;
}

void total_variation_grad(Exec ex, const TotalVariationShape& s, ConstView p, float scale, ConstView upstream,
                          const Store& d)
{
    check("total_variation_grad", s);
    d.check("total_variation_grad", p.dtype);
    if (accounted(ex, "total_variation_grad", total_variation_grad_cost(s, p.dtype, d))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::total_variation_grad(s, p, scale, upstream, d); });
    BIFRONS_SIMT(ex, "total_variation_grad", total_variation_grad(ex, s, p, scale, upstream, d));
}

} // namespace bifrons::kernels
