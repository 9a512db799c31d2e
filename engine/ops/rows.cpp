#include "engine/ops/ops.h"
#include "kernels/pointwise/channels.h"

namespace bifrons {

namespace {

kernels::ConstView from(kernels::ConstView v, std::int64_t elements)
{
    if (!v) return v;
    return {static_cast<const char*>(v.data) + std::size_t(elements) * kernels::dtype_bytes(v.dtype), v.dtype};
}

/// The store of all elements, for those from `begin` on.
kernels::Store from(const kernels::Store& s, std::int64_t begin)
{
    char* out = static_cast<char*>(s.out.data) + std::size_t(begin) * kernels::dtype_bytes(s.out.dtype);
    return {.out = {out, s.out.dtype}, .add = from(s.add, begin), .act = s.act, .saved = from(s.saved, begin)};
}

/// Stores n zeros.
void store_zeros(kernels::Exec ex, std::int64_t n, kernels::Store s)
{
    if (n == 0) return;
    if (!s.add) return ex.device->fill(ex.stream, s.out.data, 0, std::size_t(n) * kernels::dtype_bytes(s.out.dtype));
    const kernels::ConstView collected = s.add;
    if (collected.data == s.out.data && s.act.kind == kernels::Act::none) return;
    s.add = {};
    kernels::run(ex, kernels::StoreGradient{n, collected, s});
}

} // namespace

Var rows(Tape& tape, const Var& x, std::int64_t begin, std::int64_t end)
{
    const Shape& xs = x.shape();
    BIFRONS_CHECK(shape, xs.rank() >= 1 && 0 <= begin && begin < end && end <= xs[0], "rows: ", begin, " to ", end,
                  " of ", xs, "; expected a part of the first dimension");
    const std::int64_t row = xs.size() / xs[0];

    return tape.record("rows", x.value().slice(begin, end), {x},
                       [row, begin, end, n = xs.size()](const Tensor& d, Grads& grads) {
                           const kernels::Exec ex = grads.tape().exec();
                           const kernels::Store store = grads.want(0);
                           store_zeros(ex, begin * row, store);
                           kernels::run(ex, kernels::StoreGradient{d.size(), d.view(), from(store, begin * row)});
                           store_zeros(ex, n - end * row, from(store, end * row));
                       });
}

Var concat_rows(Tape& tape, const Var& a, const Var& b)
{
    const Shape &as = a.shape(), &bs = b.shape();
    BIFRONS_CHECK(shape, as.rank() >= 1 && bs.rank() >= 1 && as == bs.with_rows(as[0]) && a.dtype() == b.dtype(),
                  "concat_rows: ", as, " and ", bs, "; expected the same but for the first dimension, in one type");
    const Tensor y = tape.empty(as.with_rows(as[0] + bs[0]), a.dtype());
    // All of a, then all of b, are one row of channels each: one kernel in place of two copies.
    kernels::run(tape.exec(), kernels::ConcatChannels{{.A = as.size(), .B = bs.size()}, a.view(), b.view(), y.view()});

    return tape.record("concat_rows", y, {a, b}, [A = as[0], both = as[0] + bs[0]](const Tensor& d, Grads& grads) {
        grads.pass(0, d.slice(0, A));
        grads.pass(1, d.slice(A, both));
    });
}

} // namespace bifrons
