#include "kernels/losses/mse.h"

#include "engine/ops/ops.h"

namespace bifrons {

Var mse(Tape& tape, const Var& prediction, const Tensor& target, const Tensor& mask, float scale)
{
    const Shape& ps = prediction.shape();
    BIFRONS_CHECK(shape, ps.rank() >= 1 && ps == target.shape(), "mse: prediction is ", ps, ", target ",
                  target.shape());
    const std::int64_t C = ps[ps.rank() - 1], rows = ps.size() / C;
    BIFRONS_CHECK(shape, !mask || mask.size() == rows, "mse: mask is ", mask.shape(), "; expected ", rows, " elements");
    const kernels::MseShape s{.rows = rows, .C = C};
    const Tensor loss = tape.empty({1}, prediction.dtype());
    kernels::run(tape.exec(), kernels::MseFwd{s, prediction.view(), target.view(), mask.view(), scale, loss.view()});

    return tape.record(
        "mse", loss, {prediction}, [s, scale, p = prediction.value(), target, mask](const Tensor& d, Grads& grads) {
            kernels::run(grads.tape().exec(),
                         kernels::MseGrad{s, p.view(), target.view(), mask.view(), scale, d.view(), grads.want(0)});
        });
}

} // namespace bifrons
