#include "engine/ops/filter_gradients.h"
#include "engine/ops/ops.h"
#include "engine/ops/store_options.h"

namespace bifrons {

namespace {

kernels::Conv2dShape conv2d_shape(const Shape& x, const Shape& w, const Conv2dOptions& o)
{
    BIFRONS_CHECK(shape, x.rank() == 4 && w.rank() == 4, "conv2d: x is ", x, ", w is ", w,
                  "; expected [N,H,W,C] and [K,R,S,C]");
    BIFRONS_CHECK(shape, x[3] == w[3], "conv2d: x ", x, " has ", x[3], " channels, w ", w, " expects ", w[3]);
    kernels::Conv2dShape s{.N = x[0], .H = x[1], .W = x[2], .C = x[3], .K = w[0], .R = w[1], .S = w[2]};
    s.stride = o.stride;
    s.pad = o.pad;
    s.check("conv2d");
    return s;
}

} // namespace

Var conv2d(Tape& tape, const Var& x, const Var& w, const Conv2dOptions& o)
{
    kernels::Conv2dShape s = conv2d_shape(x.shape(), w.shape(), o);
    s.tf32 = tape.precision() == Precision::tf32;
    const DType result = o.f32_result && x.dtype() == DType::bf16 ? DType::f32 : x.dtype();
    const FusedStore store(tape, s.y_shape(), result, o.bias, o.add, o.act, o.shuffle);
    kernels::run(tape.exec(), kernels::Conv2dFwd{s, x.view(), w.view(), store.y().view(), store.epilogue()});

    return tape.record(
        "conv2d", store.y(), {x, w, o.bias, o.add},
        [s, undo = store.undo(), sx = x.value(), sw = w.value()](const Tensor& d, Grads& grads) {
            const kernels::Exec ex = grads.tape().exec();
            const Tensor stored = undo(d, grads.tape());
            grads.pass(3, stored);
            const Tensor dv = converted(stored, sx.dtype(), grads.tape()); // a result may be stored wider
            filter_gradients(grads, 1, sw.shape(), dv, [&](kernels::View dw, kernels::View db, bool accumulate) {
                kernels::run(ex, kernels::Conv2dWgrad{s, dv.view(), sx.view(), dw, db, accumulate});
            });
            if (const auto dx = grads.want(0); dx.out)
                kernels::run(ex, kernels::Conv2dDgrad{s, dv.view(), sw.view(), dx});
        },
        store.record_options());
}

} // namespace bifrons
