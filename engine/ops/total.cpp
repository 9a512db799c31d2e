#include "kernels/losses/total.h"

#include "engine/ops/ops.h"

namespace bifrons {

Var total(Tape& tape, const std::vector<Var>& losses, const std::vector<float>& weights)
{
    BIFRONS_CHECK(shape, !losses.empty() && losses.size() == weights.size(), "total: ", losses.size(), " losses, ",
                  weights.size(), " weights");
    kernels::LossTerms terms;
    for (std::size_t i = 0; i < losses.size(); ++i) terms.add(losses[i].view(), weights[i]);
    const Tensor sum = tape.empty({1}, losses[0].dtype());
    kernels::run(tape.exec(), kernels::WeightedSum{terms, sum.view()});

    return tape.record("total", sum, losses, [weights](const Tensor& d, Grads& grads) {
        for (std::size_t i = 0; i < weights.size(); ++i)
            if (weights[i] == 1)
                grads.pass(int(i), d);
            else if (const auto store = grads.want(int(i)); store.out)
                kernels::run(grads.tape().exec(), kernels::ScaleScalar{d.view(), weights[i], store});
    });
}

} // namespace bifrons
