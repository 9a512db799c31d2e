#include "kernels/pointwise/depth_to_space.h"

#include "kernels/device/dispatch.h"
#include "kernels/pointwise/depth_to_space_cpu.h"

namespace bifrons::kernels {

namespace {

void check(const Exec& ex, const char* op, const DepthToSpaceShape& s, ConstView a)
{
    BIFRONS_CHECK(shape, s.factor >= 1, op, ": factor ", s.factor, "; expected at least 1");
    check_elements(ex, op, a.dtype);
}

} // namespace

Cost depth_to_space_cost(const DepthToSpaceShape& s, DType dtype)
{
    return {.bytes = 2.0 * double(s.size()) * double(dtype_bytes(dtype))};
}

void depth_to_space(Exec ex, const DepthToSpaceShape& s, ConstView x, View y)
{
    check(ex, "depth_to_space", s, x);
    BIFRONS_CHECK(shape, x.dtype == y.dtype, "depth_to_space: x is ", dtype_name(x.dtype), ", y is ",
                  dtype_name(y.dtype));
    if (accounted(ex, "depth_to_space", depth_to_space_cost(s, x.dtype))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::depth_to_space(s, x, y); });
    BIFRONS_SIMT(ex, "depth_to_space", depth_to_space(ex, s, x, y));
}

Cost space_to_depth_cost(const DepthToSpaceShape& s, DType dtype, const Store& d)
{
    return {.bytes = double(s.size()) * double(dtype_bytes(dtype)) + d.bytes(s.size(), dtype)};
}

void space_to_depth(Exec ex, const DepthToSpaceShape& s, ConstView y, const Store& d)
{
    check(ex, "space_to_depth", s, y);
    d.check("space_to_depth", y.dtype);
    if (accounted(ex, "space_to_depth", space_to_depth_cost(s, y.dtype, d))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::space_to_depth(s, y, d); });
    BIFRONS_SIMT(ex, "space_to_depth", space_to_depth(ex, s, y, d));
}

} // namespace bifrons::kernels
