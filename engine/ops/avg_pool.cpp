#include "kernels/resample/avg_pool.h"

#include "engine/ops/ops.h"

namespace bifrons {

Var avg_pool(Tape& tape, const Var& x, int window, int stride)
{
    const Shape& xs = x.shape();
    BIFRONS_CHECK(shape, xs.rank() == 4, "avg_pool: x is ", xs, "; expected [N,H,W,C]");
    const kernels::AvgPoolShape s{.N = xs[0], .H = xs[1], .W = xs[2], .C = xs[3], .window = window, .stride = stride};
    const Tensor y = tape.empty({s.N, s.P(), s.Q(), s.C}, x.dtype());
    kernels::avg_pool_fwd(tape.exec(), s, x.view(), y.view());

    return tape.record("avg_pool", y, {x}, [s](const Tensor& d, Grads& grads) {
        kernels::avg_pool_grad(grads.tape().exec(), s, d.view(), grads.want(0));
    });
}

} // namespace bifrons
