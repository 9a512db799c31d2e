#include "kernels/pointwise/depth_to_space.h"

#include "kernels/device/dispatch.h"
#include "kernels/pointwise/depth_to_space_cpu.h"

namespace bifrons::kernels {

namespace {

void check(const char* op, const DepthToSpaceShape& s, ConstView a)
{
    BIFRONS_CHECK(shape, s.factor >= 1, op, ": factor ", s.factor, "; at least 1 expected");
    BIFRONS_CHECK(shape, a.dtype == DType::f32 || a.dtype == DType::f64, op, ": ", dtype_name(a.dtype),
                  " values; f32 or f64 expected");
}

} // namespace

Cost depth_to_space_cost(const DepthToSpaceShape& s, DType dtype)
{
    return {.bytes = 2.0 * double(s.size()) * double(dtype_bytes(dtype))};
}

void depth_to_space(Exec ex, const DepthToSpaceShape& s, ConstView x, View y)
{
    check("depth_to_space", s, x);
    BIFRONS_CHECK(shape, x.dtype == y.dtype, "depth_to_space: x is ", dtype_name(x.dtype), ", y is ",
                  dtype_name(y.dtype));
    if (accounted(ex, "depth_to_space", depth_to_space_cost(s, x.dtype))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::depth_to_space(s, x, y); });
    throw_no_kernel(ex, "depth_to_space");
}

Cost space_to_depth_cost(const DepthToSpaceShape& s, DType dtype, const Store& d)
{
    return {.bytes = double(s.size()) * double(dtype_bytes(dtype)) + d.bytes(s.size(), dtype)};
}

void space_to_depth(Exec ex, const DepthToSpaceShape& s, ConstView y, const Store& d)
{
    check("space_to_depth", s, y);
    d.check("space_to_depth", y.dtype);
    if (accounted(ex, "space_to_depth", space_to_depth_cost(s, y.dtype, d))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::space_to_depth(s, y, d); });
    throw_no_kernel(ex, "space_to_depth");
}

} // namespace bifrons::kernels
