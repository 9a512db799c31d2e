#include "kernels/resample/upsample_nearest.h"

#include "engine/ops/ops.h"

namespace bifrons {

Var upsample_nearest(Tape& tape, const Var& x, int factor)
{
    const Shape& xs = x.shape();
    BIFRONS_CHECK(shape, xs.rank() == 4, "upsample_nearest: x is ", xs, "; expected [N,H,W,C]");
    const kernels::UpsampleNearestShape s{.N = xs[0], .H = xs[1], .W = xs[2], .C = xs[3], .factor = factor};
    const Tensor y = tape.empty({s.N, s.H * factor, s.W * factor, s.C}, x.dtype());
    kernels::run(tape.exec(), kernels::UpsampleNearestFwd{s, x.view(), y.view()});

    return tape.record("upsample_nearest", y, {x}, [s](const Tensor& d, Grads& grads) {
        kernels::run(grads.tape().exec(), kernels::UpsampleNearestGrad{s, d.view(), grads.want(0)});
    });
}

} // namespace bifrons
