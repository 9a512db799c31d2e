#include "kernels/resample/avg_pool.h"

#include "engine/ops/ops.h"

namespace bifrons {

Var avg_pool(Tape& tape, const Var& x, int window, int stride)
{
    const Shape& xs = x.shape();
    BIFRONS_CHECK(shape, xs.rank() == 4, "avg_pool: x is ", xs, "; expected [N,H,W,C]");
    const kernels::AvgPoolShape s{.N = xs[0], .H = xs[1], .W = xs[2], .C = xs[3], .window = window, .stride = stride};
    const Tensor y = tape.empty({s.N, s.P(), s.Q(), s.C}, x.dtype());
    kernels::run(tape.exec(), kernels::AvgPoolFwd{s, x.view(), y.view()});

    return tape.record("avg_pool", y, {x}, [s](const Tensor& d, Grads& grads) {
        kernels::run(grads.tape().exec(), kernels::AvgPoolGrad{s, d.view(), grads.want(0)});
    });
}

} // namespace bifrons
