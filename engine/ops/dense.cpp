#include "kernels/dense/dense.h"

#include "engine/ops/filter_gradients.h"
#include "engine/ops/ops.h"

namespace bifrons {

Var dense(Tape& tape, const Var& x, const Var& w, const Var& bias, kernels::Activation act)
{
    const Shape &xs = x.shape(), &ws = w.shape();
    BIFRONS_CHECK(shape, xs.rank() == 2 && ws.rank() == 2 && xs[1] == ws[1], "dense: x is ", xs, ", w is ", ws,
                  "; expected [N,C] and [K,C]");
    BIFRONS_CHECK(shape, !bias || bias.shape() == Shape({ws[0]}), "dense: bias is ", bias.shape(), "; expected [",
                  ws[0], "]");
    const kernels::DenseShape s{.N = xs[0], .C = xs[1], .K = ws[0], .tf32 = tape.precision() == Precision::tf32};
    const Tensor y = tape.empty({s.N, s.K}, x.dtype());
    kernels::Epilogue e{.act = act};
    if (bias) e.bias = bias.view();
    Tensor saved = y;
    if (tape.recording() && kernels::act_saves_input(act)) {
        saved = tape.empty(y.shape(), y.dtype());
        e.z = saved.view();
    }
    kernels::run(tape.exec(), kernels::DenseFwd{s, x.view(), w.view(), y.view(), e});

    return tape.record("dense", y, {x, w, bias},
                       [s, sx = x.value(), sw = w.value()](const Tensor& d, Grads& grads) {
                           const kernels::Exec ex = grads.tape().exec();
                           filter_gradients(
                               grads, 1, sw.shape(), d, [&](kernels::View dw, kernels::View db, bool accumulate) {
                                   kernels::run(ex, kernels::DenseWgrad{s, d.view(), sx.view(), dw, db, accumulate});
                               });
                           if (const auto dx = grads.want(0); dx.out)
                               kernels::run(ex, kernels::DenseDgrad{s, d.view(), sw.view(), dx});
                       },
                       {.act = act, .saved = saved});
}

} // namespace bifrons
