#include "kernels/pointwise/cast.h"

#include "engine/ops/ops.h"

namespace bifrons {

Var cast(Tape& tape, const Var& x, DType dtype)
{
    if (x.dtype() == dtype) return x;
    const Tensor y = tape.empty(x.shape(), dtype);
    kernels::run(tape.exec(), kernels::Cast{x.value().size(), x.view(), y.view()});

    return tape.record("cast", y, {x}, [from = x.dtype()](const Tensor& d, Grads& grads) {
        Tape& t = grads.tape();
        const Tensor back = t.empty(d.shape(), from);
        kernels::run(t.exec(), kernels::Cast{d.size(), d.view(), back.view()});
        grads.pass(0, back);
    });
}

} // namespace bifrons
