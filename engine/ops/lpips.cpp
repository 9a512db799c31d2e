#include "kernels/losses/lpips.h"

#include "engine/ops/ops.h"

namespace bifrons {

Var lpips(Tape& tape, const Var& features, const Tensor& target, const Tensor& weights, float scale)
{
    const Shape& fs = features.shape();
    BIFRONS_CHECK(shape, fs.rank() >= 1 && fs == target.shape(), "lpips: features are ", fs, ", the target's ",
                  target.shape());
    const std::int64_t C = fs[fs.rank() - 1];
    BIFRONS_CHECK(shape, !weights || weights.size() == C, "lpips: weights are ", weights.shape(), "; expected ", C,
                  " elements");
    const kernels::LpipsShape s{.rows = fs.size() / C, .C = C};
    const Tensor loss = tape.empty({1}, features.dtype() == DType::f64 ? DType::f64 : DType::f32);
    kernels::run(tape.exec(), kernels::LpipsFwd{s, features.view(), target.view(), weights.view(), scale, loss.view()});

    return tape.record(
        "lpips", loss, {features}, [s, scale, f = features.value(), target, weights](const Tensor& d, Grads& grads) {
            kernels::run(grads.tape().exec(), kernels::LpipsGrad{s, f.view(), target.view(), weights.view(), scale,
                                                                 d.view(), grads.want(0)});
        });
}

} // namespace bifrons
