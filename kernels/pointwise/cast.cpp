#include "kernels/pointwise/cast.h"

namespace bifrons::kernels {

void Cast::check(Target) const
{
    const DType other = x.dtype == DType::f32 ? y.dtype : x.dtype;
    BIFRONS_CHECK(shape,
                  x.dtype == y.dtype || ((x.dtype == DType::f32 || y.dtype == DType::f32) &&
                                         (other == DType::bf16 || other == DType::f64)),
                  "cast: from ", dtype_name(x.dtype), " to ", dtype_name(y.dtype),
                  "; expected f32 on one side and bf16 or f64 on the other");
}

Cost Cast::cost(Target) const
{
    return {.bytes = double(n) * double(dtype_bytes(x.dtype) + dtype_bytes(y.dtype))};
}

void Cast::dispatch(Exec ex) const
{
    if (x.dtype == y.dtype) return ex.device->copy(ex.stream, y.data, x.data, std::size_t(n) * dtype_bytes(x.dtype));
    kernels::dispatch(ex, *this);
}

} // namespace bifrons::kernels
