#include "kernels/conv2d/depthwise.h"

#include "engine/ops/ops.h"

namespace bifrons {

Var depthwise(Tape& tape, const Var& x, const Tensor& w, const Tensor& bias, std::int64_t stride)
{
    const Shape &xs = x.shape(), &ws = w.shape();
    BIFRONS_CHECK(shape, xs.rank() == 4 && ws.rank() == 3 && ws[0] == ws[1] && ws[2] == xs[3], "depthwise: x is ", xs,
                  ", w is ", ws, "; expected [N,H,W,C] and a square filter [R,R,C]");
    BIFRONS_CHECK(shape, bias.shape() == Shape{xs[3]}, "depthwise: bias is ", bias.shape(), "; expected [", xs[3], "]");
    BIFRONS_CHECK(shape, !x.node(), "depthwise: x wants a gradient, which this operation does not have");
    const kernels::DepthwiseShape s{.N = xs[0], .H = xs[1], .W = xs[2], .C = xs[3], .window = ws[0], .stride = stride};
    const Tensor y = tape.empty({s.N, s.P(), s.Q(), s.C}, x.dtype());
    kernels::run(tape.exec(), kernels::Depthwise{s, x.view(), w.view(), bias.view(), y.view()});
    return Var(y);
}

} // namespace bifrons
