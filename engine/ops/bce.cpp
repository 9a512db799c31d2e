#include "kernels/losses/bce.h"

#include "engine/ops/ops.h"

namespace bifrons {

namespace {

Var record_bce(Tape& tape, const Var& logits, const Tensor& target, float label, const Tensor& mask, float scale)
{
    const Shape& xs = logits.shape();
    BIFRONS_CHECK(shape, xs.rank() >= 1 && (!target || xs == target.shape()), "bce: logits are ", xs, ", target ",
                  target.shape());
    const std::int64_t C = xs[xs.rank() - 1], rows = xs.size() / C;
    BIFRONS_CHECK(shape, !mask || mask.size() == rows, "bce: mask is ", mask.shape(), "; expected ", rows, " elements");
    const kernels::BceShape s{.rows = rows, .C = C, .label = label};
    const Tensor loss = tape.empty({1}, logits.dtype());
    kernels::run(tape.exec(), kernels::BceFwd{s, logits.view(), target.view(), mask.view(), scale, loss.view()});

    return tape.record(
        "bce", loss, {logits}, [s, scale, x = logits.value(), target, mask](const Tensor& d, Grads& grads) {
            kernels::run(grads.tape().exec(),
                         kernels::BceGrad{s, x.view(), target.view(), mask.view(), scale, d.view(), grads.want(0)});
        });
}

} // namespace

Var bce(Tape& tape, const Var& logits, const Tensor& target, const Tensor& mask, float scale)
{
    BIFRONS_CHECK(shape, target, "bce: target is empty; expected one value per logit, or a label");
    return record_bce(tape, logits, target, 1, mask, scale);
}

Var bce(Tape& tape, const Var& logits, float label, float scale)
{
    return record_bce(tape, logits, {}, label, {}, scale);
}

} // namespace bifrons
