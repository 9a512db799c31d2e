#include "kernels/losses/style.h"

namespace bifrons::kernels {

namespace {

void check_operands(const char* op, const StyleShape& s, std::initializer_list<DType> dtypes)
{
    BIFRONS_CHECK(shape, s.N >= 1 && s.pixels >= 1 && s.C >= 1, op, ": ", s.N, " pictures of ", s.pixels, " pixels of ",
                  s.C, " channels; expected at least one of each");
    for (const DType dtype : dtypes)
        BIFRONS_CHECK(shape, dtype == *dtypes.begin(), op, ": operands of ", dtype_name(*dtypes.begin()), " and ",
                      dtype_name(dtype), "; expected the same type");
}

} // namespace

void StyleFwd::check(Target) const
{
    check_operands(kName, s, {x.dtype, t.dtype, loss.dtype, moments.dtype});
}

Cost StyleFwd::cost(Target) const
{
    return {.flops = 8 * double(s.size()), .bytes = 4 * double(s.size()) * double(dtype_bytes(x.dtype))};
}

void StyleGrad::check(Target) const
{
    check_operands(kName, s, {x.dtype, moments.dtype, upstream.dtype});
    d.check(kName, x.dtype);
}

Cost StyleGrad::cost(Target) const
{
    return {.flops = 6 * double(s.size()),
            .bytes = double(s.size()) * double(dtype_bytes(x.dtype)) + d.bytes(s.size(), x.dtype)};
}

} // namespace bifrons::kernels
