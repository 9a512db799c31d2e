#include "kernels/resample/max_pool.h"

#include "engine/ops/ops.h"

namespace bifrons {

Var max_pool(Tape& tape, const Var& x, int window, int stride, bool ceil)
{
    const Shape& xs = x.shape();
    BIFRONS_CHECK(shape, xs.rank() == 4, "max_pool: x is ", xs, "; expected [N,H,W,C]");
    const kernels::MaxPoolShape s{
        .N = xs[0], .H = xs[1], .W = xs[2], .C = xs[3], .window = window, .stride = stride, .ceil = ceil};
    const Shape ys{s.N, s.P(), s.Q(), s.C};
    const Tensor y = tape.empty(ys, x.dtype()), index = tape.empty(ys, DType::u8);
    kernels::run(tape.exec(), kernels::MaxPoolFwd{s, x.view(), y.view(), index.view()});

    return tape.record("max_pool", y, {x}, [s, index](const Tensor& d, Grads& grads) {
        kernels::run(grads.tape().exec(), kernels::MaxPoolGrad{s, d.view(), index.view(), grads.want(0)});
    });
}

} // namespace bifrons
