#include "kernels/losses/total_variation.h"

#include "engine/ops/ops.h"

namespace bifrons {

Var total_variation(Tape& tape, const Var& picture, float scale)
{
    const Shape& ps = picture.shape();
    BIFRONS_CHECK(shape, ps.rank() == 4, "total_variation: picture is ", ps, "; expected [N,H,W,C]");
    const kernels::TotalVariationShape s{ps[0], ps[1], ps[2], ps[3]};
    const Tensor loss = tape.empty({1}, picture.dtype());
    kernels::run(tape.exec(), kernels::TotalVariationFwd{s, picture.view(), scale, loss.view()});

    return tape.record(
        "total_variation", loss, {picture}, [s, scale, p = picture.value()](const Tensor& d, Grads& grads) {
            kernels::run(grads.tape().exec(), kernels::TotalVariationGrad{s, p.view(), scale, d.view(), grads.want(0)});
        });
}

} // namespace bifrons
