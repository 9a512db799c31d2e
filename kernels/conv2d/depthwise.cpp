#include "kernels/conv2d/depthwise.h"

namespace bifrons::kernels {

void Depthwise::check(Target) const
{
    BIFRONS_CHECK(shape, s.window >= 1 && s.stride >= 1, "depthwise: window ", s.window, ", stride ", s.stride,
                  "; expected at least 1");
    BIFRONS_CHECK(shape, w.dtype == x.dtype && y.dtype == x.dtype && (!bias || bias.dtype == x.dtype),
                  "depthwise: x is ", dtype_name(x.dtype), ", w ", dtype_name(w.dtype), ", y ", dtype_name(y.dtype),
                  bias ? str(", bias ", dtype_name(bias.dtype)) : "", "; expected the same type");
}

Cost Depthwise::cost(Target) const
{
    const double taps = double(s.window * s.window);
    return {.flops = 2 * taps * double(s.y_size()),
            .bytes = (double(s.x_size() + s.y_size()) + (taps + 1) * double(s.C)) * double(dtype_bytes(x.dtype))};
}

} // namespace bifrons::kernels
