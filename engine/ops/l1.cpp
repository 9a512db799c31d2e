#include "kernels/losses/l1.h"

#include "engine/ops/ops.h"

namespace bifrons {

Var l1(Tape& tape, const Var& prediction, const Tensor& target, const Tensor& mask, float scale)
{
    const Shape& ps = prediction.shape();
    BIFRONS_CHECK(shape, ps.rank() >= 1 && ps == target.shape(), "l1: prediction is ", ps, ", target ", target.shape());
    const std::int64_t C = ps[ps.rank() - 1], rows = ps.size() / C;
    BIFRONS_CHECK(shape, !mask || mask.size() == rows, "l1: mask is ", mask.shape(), "; expected ", rows, " elements");
    const kernels::L1Shape s{.rows = rows, .C = C};
    const Tensor loss = tape.empty({1}, prediction.dtype());
    kernels::run(tape.exec(), kernels::L1Fwd{s, prediction.view(), target.view(), mask.view(), scale, loss.view()});

    return tape.record(
        "l1", loss, {prediction}, [s, scale, p = prediction.value(), target, mask](const Tensor& d, Grads& grads) {
            kernels::run(grads.tape().exec(),
                         kernels::L1Grad{s, p.view(), target.view(), mask.view(), scale, d.view(), grads.want(0)});
        });
}

} // namespace bifrons
