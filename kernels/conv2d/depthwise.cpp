#include "kernels/conv2d/depthwise.h"

#include "kernels/conv2d/depthwise_cpu.h"
#include "kernels/device/dispatch.h"

namespace bifrons::kernels {

Cost depthwise_cost(const DepthwiseShape& s, DType dtype)
{
    const double taps = double(s.window * s.window);
    return {.flops = 2 * taps * double(s.y_size()),
            .bytes = (double(s.x_size() + s.y_size()) + (taps + 1) * double(s.C)) * double(dtype_bytes(dtype))};
}

void depthwise(Exec ex, const DepthwiseShape& s, ConstView x, ConstView w, ConstView bias, View y)
{
    BIFRONS_CHECK(shape, s.window >= 1 && s.stride >= 1, "depthwise: window ", s.window, ", stride ", s.stride,
                  "; expected at least 1");
    BIFRONS_CHECK(shape, w.dtype == x.dtype && y.dtype == x.dtype && (!bias || bias.dtype == x.dtype),
                  "depthwise: x is ", dtype_name(x.dtype), ", w ", dtype_name(w.dtype), ", y ", dtype_name(y.dtype),
                  bias ? str(", bias ", dtype_name(bias.dtype)) : "", "; expected the same type");
    if (accounted(ex, "depthwise", depthwise_cost(s, x.dtype))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::depthwise(s, x, w, bias, y); });
    BIFRONS_SIMT(ex, "depthwise", depthwise(ex, s, x, w, bias, y));
}

} // namespace bifrons::kernels
