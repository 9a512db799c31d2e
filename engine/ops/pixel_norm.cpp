#include "kernels/pointwise/pixel_norm.h"

#include "engine/ops/ops.h"

namespace bifrons {

Var pixel_norm(Tape& tape, const Var& x)
{
    BIFRONS_CHECK(shape, x.shape().rank() == 2, "pixel_norm: x is ", x.shape(), "; expected [N,F]");
    const kernels::PixelNormShape s{.N = x.shape()[0], .F = x.shape()[1]};
    const Tensor y = tape.empty(x.shape(), x.dtype());
    kernels::run(tape.exec(), kernels::PixelNormFwd{s, x.view(), y.view()});

    return tape.record("pixel_norm", y, {x}, [s, sx = x.value()](const Tensor& d, Grads& grads) {
        kernels::run(grads.tape().exec(), kernels::PixelNormGrad{s, d.view(), sx.view(), grads.want(0)});
    });
}

} // namespace bifrons
