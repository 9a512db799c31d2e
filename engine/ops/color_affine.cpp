#include "kernels/color/color_affine.h"

#include "engine/ops/ops.h"

namespace bifrons {

Var color_affine(Tape& tape, const Var& x, const Tensor& mask, const kernels::ColorAffine& map, DType dtype)
{
    const Shape& xs = x.shape();
    BIFRONS_CHECK(shape, xs.rank() == 4 && xs[3] == 3, "color_affine: x is ", xs, "; expected [N,H,W,3]");
    const std::int64_t pixels = xs.size() / 3;
    BIFRONS_CHECK(shape, !mask || mask.size() == pixels, "color_affine: mask is ", mask.shape(), "; expected ", pixels,
                  " elements");
    const Tensor y = tape.empty(xs, dtype);
    kernels::run(tape.exec(), kernels::ColorAffineFwd{pixels, map, x.view(), mask.view(), y.view()});

    return tape.record("color_affine", y, {x}, [pixels, map, mask](const Tensor& d, Grads& grads) {
        kernels::run(grads.tape().exec(), kernels::ColorAffineGrad{pixels, map, d.view(), mask.view(), grads.want(0)});
    });
}

} // namespace bifrons
