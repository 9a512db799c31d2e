#include "kernels/losses/style.h"

#include "engine/ops/ops.h"

namespace bifrons {

Var style(Tape& tape, const Var& picture, const Tensor& target, float scale)
{
    const Shape& ps = picture.shape();
    BIFRONS_CHECK(shape, ps.rank() == 4 && ps == target.shape(), "style: picture is ", ps, ", target ", target.shape(),
                  "; expected the same [N,H,W,C]");
    const kernels::StyleShape s{.N = ps[0], .pixels = ps[1] * ps[2], .C = ps[3]};
    const Tensor loss = tape.empty({1}, picture.dtype()), moments = tape.empty({s.N, s.C, 4}, picture.dtype());
    kernels::run(tape.exec(), kernels::StyleFwd{s, picture.view(), target.view(), scale, loss.view(), moments.view()});

    return tape.record(
        "style", loss, {picture}, [s, scale, p = picture.value(), moments](const Tensor& d, Grads& grads) {
            kernels::run(grads.tape().exec(),
                         kernels::StyleGrad{s, p.view(), moments.view(), scale, d.view(), grads.want(0)});
        });
}

} // namespace bifrons
