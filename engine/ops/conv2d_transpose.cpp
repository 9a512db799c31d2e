#include "kernels/conv2d/conv2d_transpose.h"

#include "engine/ops/filter_gradients.h"
#include "engine/ops/ops.h"
#include "engine/ops/store_options.h"

namespace bifrons {

Var conv2d_transpose(Tape& tape, const Var& x, const Var& w, const Conv2dOptions& o)
{
    const Shape &xs = x.shape(), &ws = w.shape();
    BIFRONS_CHECK(shape, xs.rank() == 4 && ws.rank() == 4 && xs[3] == ws[0], "conv2d_transpose: x is ", xs, ", w is ",
                  ws, "; expected [N,P,Q,K] and [K,R,S,C]");
    BIFRONS_CHECK(shape, ws[1] == ws[2], "conv2d_transpose: filters are ", ws[1], "x", ws[2],
                  "; expected square filters");
    kernels::Conv2dShape s = kernels::conv2d_transpose_shape(xs[0], xs[1], xs[2], xs[3], ws[3], ws[1], o.stride);
    s.tf32 = tape.precision() == Precision::tf32;
    const FusedStore store(tape, {s.N, s.H, s.W, s.C}, x.dtype(), o.bias, o.add, o.act, o.shuffle);
    kernels::run(tape.exec(), kernels::Conv2dTransposeFwd{s, x.view(), w.view(), store.y().view(), store.epilogue()});

    return tape.record(
        "conv2d_transpose", store.y(), {x, w, o.bias, o.add},
        [s, undo = store.undo(), sx = x.value(), sw = w.value()](const Tensor& d, Grads& grads) {
            const kernels::Exec ex = grads.tape().exec();
            const Tensor dv = undo(d, grads.tape());
            grads.pass(3, dv);
            filter_gradients(grads, 1, sw.shape(), dv, [&](kernels::View dw, kernels::View db, bool accumulate) {
                kernels::run(ex, kernels::Conv2dTransposeWgrad{s, dv.view(), sx.view(), dw, db, accumulate});
            });
            if (const auto dx = grads.want(0); dx.out)
                kernels::run(ex, kernels::Conv2dTransposeDgrad{s, dv.view(), sw.view(), dx});
        },
        store.record_options());
}

} // namespace bifrons
