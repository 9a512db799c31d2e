#include "kernels/resample/pad_reflect.h"

#include "engine/ops/ops.h"

namespace bifrons {

Var pad_reflect(Tape& tape, const Var& x, int pad)
{
    const Shape& xs = x.shape();
    BIFRONS_CHECK(shape, xs.rank() == 4, "pad_reflect: x is ", xs, "; expected [N,H,W,C]");
    const kernels::PadReflectShape s{.N = xs[0], .H = xs[1], .W = xs[2], .C = xs[3], .pad = pad};
    const Tensor y = tape.empty({s.N, s.P(), s.Q(), s.C}, x.dtype());
    kernels::run(tape.exec(), kernels::PadReflectFwd{s, x.view(), y.view()});

    return tape.record("pad_reflect", y, {x}, [s](const Tensor& d, Grads& grads) {
        kernels::run(grads.tape().exec(), kernels::PadReflectGrad{s, d.view(), grads.want(0)});
    });
}

} // namespace bifrons
