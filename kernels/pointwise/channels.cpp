#include "kernels/pointwise/channels.h"

#include "kernels/device/dispatch.h"
#include "kernels/pointwise/channels_cpu.h"

namespace bifrons::kernels {

Cost concat_channels_cost(const ChannelsShape& s, DType dtype)
{
    return {.bytes = 2.0 * double(s.size()) * double(dtype_bytes(dtype))};
}

void concat_channels(Exec ex, const ChannelsShape& s, ConstView a, ConstView b, View y)
{
    check_elements(ex, "concat_channels", y.dtype);
    BIFRONS_CHECK(shape, a.dtype == y.dtype && b.dtype == y.dtype, "concat_channels: a is ", dtype_name(a.dtype),
                  ", b is ", dtype_name(b.dtype), ", y is ", dtype_name(y.dtype));
    if (accounted(ex, "concat_channels", concat_channels_cost(s, y.dtype))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::concat_channels(s, a, b, y); });
    BIFRONS_SIMT(ex, "concat_channels", concat_channels(ex, s, a, b, y));
}

Cost split_channels_cost(const ChannelsShape& s, DType dtype, const Store& da, const Store& db)
{
    Cost cost;
    for (const auto& [n, d] : {std::pair<std::int64_t, const Store&>{s.rows * s.A, da}, {s.rows * s.B, db}})
        if (d.out) cost.bytes += double(n) * double(dtype_bytes(dtype)) + d.bytes(n, dtype);
    return cost;
}

void split_channels(Exec ex, const ChannelsShape& s, ConstView y, const Store& da, const Store& db)
{
    check_elements(ex, "split_channels", y.dtype);
    da.check("split_channels", y.dtype);
    db.check("split_channels", y.dtype);
    if (accounted(ex, "split_channels", split_channels_cost(s, y.dtype, da, db))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::split_channels(s, y, da, db); });
    BIFRONS_SIMT(ex, "split_channels", split_channels(ex, s, y, da, db));
}

} // namespace bifrons::kernels
