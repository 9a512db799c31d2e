#include "kernels/losses/dssim.h"

#include "engine/ops/ops.h"

namespace bifrons {

Var dssim(Tape& tape, const Var& prediction, const Tensor& target, const Tensor& mask, int window, float scale)
{
    const Shape& ps = prediction.shape();
    BIFRONS_CHECK(shape, ps.rank() == 4 && ps == target.shape(), "dssim: prediction is ", ps, ", target ",
                  target.shape(), "; expected the same [N,H,W,C]");
    const kernels::DssimShape s{.N = ps[0], .H = ps[1], .W = ps[2], .C = ps[3], .window = window};
    BIFRONS_CHECK(shape, !mask || mask.size() == s.N * s.H * s.W, "dssim: mask is ", mask.shape(), " for pictures ",
                  ps);
    const Tensor loss = tape.empty({1}, prediction.dtype());
    const bool wanted = tape.recording() && prediction.node() && prediction.node()->wanted;
    const Tensor slopes = wanted ? tape.empty({3 * s.windows()}, prediction.dtype()) : Tensor();
    kernels::run(tape.exec(), kernels::DssimFwd{s, prediction.view(), target.view(), mask.view(), scale, loss.view(),
                                                slopes.view()});

    return tape.record("dssim", loss, {prediction},
                       [s, scale, p = prediction.value(), target, mask, slopes](const Tensor& d, Grads& grads) {
                           kernels::run(grads.tape().exec(),
                                        kernels::DssimGrad{s, p.view(), target.view(), mask.view(), scale,
                                                           slopes.view(), d.view(), grads.want(0)});
                       });
}

} // namespace bifrons
