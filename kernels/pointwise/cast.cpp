#include "kernels/pointwise/cast.h"

#include "kernels/device/dispatch.h"
#include "kernels/pointwise/cast_cpu.h"

namespace bifrons::kernels {

Cost cast_cost(std::int64_t n, DType from, DType to)
{
    return {.bytes = double(n) * double(dtype_bytes(from) + dtype_bytes(to))};
}

void cast(Exec ex, std::int64_t n, ConstView x, View y)
{
    const DType other = x.dtype == DType::f32 ? y.dtype : x.dtype;
    BIFRONS_CHECK(shape,
                  x.dtype == y.dtype || ((x.dtype == DType::f32 || y.dtype == DType::f32) &&
                                         (other == DType::bf16 || other == DType::f64)),
                  "cast: from ", dtype_name(x.dtype), " to ", dtype_name(y.dtype),
                  "; expected f32 on one side and bf16 or f64 on the other");
    if (accounted(ex, "cast", cast_cost(n, x.dtype, y.dtype))) return;
    if (x.dtype == y.dtype) return ex.device->copy(ex.stream, y.data, x.data, std::size_t(n) * dtype_bytes(x.dtype));
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::cast(n, x, y); });
    BIFRONS_SIMT(ex, "cast", cast(ex, n, x, y));
}

} // namespace bifrons::kernels
