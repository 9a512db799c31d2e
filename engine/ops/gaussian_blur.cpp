#include "kernels/color/gaussian_blur.h"

#include "engine/ops/ops.h"

namespace bifrons {

Var gaussian_blur(Tape& tape, const Var& x, float sigma, int reach)
{
    const Shape& xs = x.shape();
    BIFRONS_CHECK(shape, xs.rank() == 4, "gaussian_blur: x is ", xs, "; expected [N,H,W,C]");
    const kernels::BlurShape s{.H = xs[1], .W = xs[2], .C = xs[3], .sigma = sigma, .N = xs[0], .reach = reach};
    const Tensor y = tape.empty(xs, x.dtype());
    kernels::run(tape.exec(), kernels::GaussianBlur{s, x.view(), y.view()});

    return tape.record("gaussian_blur", y, {x}, [s](const Tensor& d, Grads& grads) {
        const Tensor v = grads.tape().empty(d.shape(), d.dtype());
        kernels::run(grads.tape().exec(), kernels::GaussianBlur{s, d.view(), v.view()});
        grads.pass(0, v);
    });
}

} // namespace bifrons
