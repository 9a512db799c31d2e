#include "engine/ops/filter_gradients.h"

#include "engine/ops/store_options.h"

namespace bifrons {

using kernels::Act;
using kernels::Store;
using kernels::View;

namespace {

/// Overwritten, or added to where it lies.
bool is_plain(const Store& s)
{
    return s.act.kind == Act::none && (!s.add || s.add.data == s.out.data) && s.out.dtype != DType::bf16;
}

/// `write` computes the gradient into a place of its own, or straight into the store's.
template <class Write>
void store_by(Tape& tape, const Shape& shape, DType dtype, const Store& store, Write write)
{
    if (is_plain(store)) return write(store.out, bool(store.add));
    const Tensor own = tape.empty(shape, dtype);
    write(own.view(), false);
    const Tensor same = converted(own, store.out.dtype, tape);
    kernels::run(tape.exec(), kernels::StoreGradient{same.size(), same.view(), store});
}

} // namespace

void filter_gradients(Grads& grads, int filter, const Shape& filter_shape, const Tensor& d,
                      const WeightGradient& gradient)
{
    Tape& tape = grads.tape();
    const DType dtype = d.dtype() == DType::f64 ? DType::f64 : DType::f32;
    const std::int64_t K = d.shape()[d.shape().rank() - 1];
    const Store dw = grads.want(filter), db = grads.want(filter + 1);
    if (dw.out && db.out && is_plain(dw) && is_plain(db) && bool(dw.add) == bool(db.add))
        return gradient(dw.out, db.out, bool(dw.add));
    if (dw.out)
        store_by(tape, filter_shape, dtype, dw, [&](View to, bool accumulate) { gradient(to, {}, accumulate); });
    if (db.out)
        store_by(tape, Shape({K}), dtype, db, [&](View to, bool accumulate) {
            kernels::run(tape.exec(), kernels::BiasGrad{d.size() / K, K, d.view(), to, accumulate});
        });
}

} // namespace bifrons
