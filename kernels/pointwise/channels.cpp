#include "kernels/pointwise/channels.h"

namespace bifrons::kernels {

void ConcatChannels::check(Target target) const
{
    check_elements(target, kName, y.dtype);
    BIFRONS_CHECK(shape, a.dtype == y.dtype && b.dtype == y.dtype, "concat_channels: a is ", dtype_name(a.dtype),
                  ", b is ", dtype_name(b.dtype), ", y is ", dtype_name(y.dtype));
}

Cost ConcatChannels::cost(Target) const
{
    return {.bytes = 2.0 * double(s.size()) * double(dtype_bytes(y.dtype))};
}

void SplitChannels::check(Target target) const
{
    check_elements(target, kName, y.dtype);
    da.check(kName, y.dtype);
    db.check(kName, y.dtype);
}

Cost SplitChannels::cost(Target) const
{
    Cost cost;
    for (const auto& [n, d] : {std::pair<std::int64_t, const Store&>{s.rows * s.A, da}, {s.rows * s.B, db}})
        if (d.out) cost.bytes += double(n) * double(dtype_bytes(y.dtype)) + d.bytes(n, y.dtype);
    return cost;
}

} // namespace bifrons::kernels
