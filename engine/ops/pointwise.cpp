#include "engine/ops/ops.h"
#include "engine/ops/store_options.h"

namespace bifrons {

Var pointwise(Tape& tape, const Var& x, const PointwiseOptions& o)
{
    const Shape& xs = x.shape();
    BIFRONS_CHECK(shape, xs.rank() == 4, "pointwise: x is ", xs, "; expected [N,H,W,C]");
    const kernels::EpilogueShape s{xs[0], xs[1], xs[2], xs[3]};
    const FusedStore store(tape, s, x.dtype(), {}, o.add, o.act, o.shuffle);
    kernels::run(tape.exec(), kernels::EpilogueFwd{s, x.view(), store.y().view(), store.epilogue()});

    return tape.record(
        "pointwise", store.y(), {x, o.add},
        [undo = store.undo()](const Tensor& d, Grads& grads) {
            const Tensor dv = undo(d, grads.tape());
            grads.pass(1, dv);
            grads.pass(0, dv);
        },
        store.record_options());
}

} // namespace bifrons
