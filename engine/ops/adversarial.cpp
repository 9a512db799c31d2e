#include "kernels/losses/adversarial.h"

#include "engine/ops/ops.h"

namespace bifrons {

Var adversarial(Tape& tape, const Var& answers, kernels::AdversarialLoss loss, kernels::Verdict wanted, float scale)
{
    const kernels::AdversarialShape s{.n = answers.value().size(), .loss = loss, .wanted = wanted};
    const Tensor value = tape.empty({1}, answers.dtype());
    kernels::run(tape.exec(), kernels::AdversarialFwd{s, answers.view(), scale, value.view()});

    return tape.record("adversarial", value, {answers}, [s, scale, x = answers.value()](const Tensor& d, Grads& grads) {
        kernels::run(grads.tape().exec(), kernels::AdversarialGrad{s, x.view(), scale, d.view(), grads.want(0)});
    });
}

} // namespace bifrons
