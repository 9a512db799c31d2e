#include "kernels/pointwise/prelu.h"

#include "engine/ops/ops.h"

namespace bifrons {

Var prelu(Tape& tape, const Var& x, const Tensor& slope, const Var& add)
{
    const Shape& xs = x.shape();
    const std::int64_t channels = xs[xs.rank() - 1];
    BIFRONS_CHECK(shape, slope.shape() == Shape{channels}, "prelu: x is ", xs, ", slope ", slope.shape(),
                  "; expected one slope per channel");
    BIFRONS_CHECK(shape, !x.node() && !add.node(),
                  "prelu: x or add wants a gradient, which this operation does not have");
    kernels::PreluShape s{.rows = xs.size() / channels, .C = channels};
    if (add) {
        const Shape& as = add.shape();
        s.A = as[as.rank() - 1];
        BIFRONS_CHECK(shape, as.size() == s.rows * s.A && s.A <= channels, "prelu: x is ", xs, ", add ", as,
                      "; expected as many pixels, and no more channels");
    }
    const Tensor y = tape.empty(xs, x.dtype());
    kernels::run(tape.exec(), kernels::Prelu{s, x.view(), add ? add.view() : kernels::View{}, slope.view(), y.view()});
    return Var(y);
}

} // namespace bifrons
