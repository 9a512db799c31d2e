#include "kernels/pointwise/mask_pixels.h"

#include "engine/ops/ops.h"

namespace bifrons {

Var mask_pixels(Tape& tape, const Var& x, const Tensor& mask, kernels::MaskSide side)
{
    const Shape& xs = x.shape();
    BIFRONS_CHECK(shape, xs.rank() >= 1 && mask.size() * xs[xs.rank() - 1] == xs.size(), "mask_pixels: x is ", xs,
                  ", the mask ", mask.shape(), "; expected one weight per pixel");
    const kernels::MaskShape s{.rows = mask.size(), .C = xs[xs.rank() - 1], .side = side};
    const Tensor y = tape.empty(xs, x.dtype());
    kernels::run(tape.exec(), kernels::MaskPixels{s, x.view(), mask.view(), {.out = y.view()}});

    return tape.record("mask_pixels", y, {x}, [s, mask](const Tensor& d, Grads& grads) {
        kernels::run(grads.tape().exec(), kernels::MaskPixels{s, d.view(), mask.view(), grads.want(0)});
    });
}

} // namespace bifrons
