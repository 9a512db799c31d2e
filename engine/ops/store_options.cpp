#include "engine/ops/store_options.h"

#include "kernels/pointwise/cast.h"

namespace bifrons {

using kernels::Act;

FusedStore::FusedStore(Tape& tape, const kernels::EpilogueShape& v, DType dtype, const Var& bias, const Var& add,
                       kernels::Activation act, int shuffle)
    : v_(v)
{
    BIFRONS_CHECK(shape, !bias || bias.shape() == Shape({v.K}), "bias is ", bias.shape(), "; expected [", v.K, "]");
    BIFRONS_CHECK(shape, !add || add.value().size() == v.size(), "add is ", add.shape(), "; expected ", v.size(),
                  " elements");
    const std::int64_t f = shuffle;
    y_ = tape.empty({v.N, v.P * f, v.Q * f, v.K / (f * f)}, dtype);
    if (tape.recording() && kernels::act_saves_input(act)) z_ = tape.empty({v.N, v.P, v.Q, v.K}, dtype);
    epilogue_ = {.act = act, .shuffle = shuffle};
    if (bias) epilogue_.bias = bias.view();
    if (add) epilogue_.add = add.view();
    if (z_) epilogue_.z = z_.view();
}

RecordOptions FusedStore::record_options() const
{
    // A shuffled z does not lie in the result's order: such a store applies its derivative itself, in undo().
    if (z_ && epilogue_.shuffle != 1) return {};
    return {.act = epilogue_.act, .saved = z_ ? z_ : y_};
}

FusedStore::Undo FusedStore::undo() const
{
    Undo undo;
    undo.v_ = v_;
    undo.shuffle_ = epilogue_.shuffle;
    if (z_ && epilogue_.shuffle != 1) {
        undo.act_ = epilogue_.act;
        undo.z_ = z_;
    }
    return undo;
}

Tensor FusedStore::Undo::operator()(const Tensor& d, Tape& tape) const
{
    if (shuffle_ == 1) return d.reshape({v_.N, v_.P, v_.Q, v_.K});
    const Tensor dv = tape.empty({v_.N, v_.P, v_.Q, v_.K}, d.dtype());
    kernels::run(tape.exec(), kernels::Unshuffle{v_, shuffle_, d.view(), dv.view()});
    if (act_.kind != Act::none)
        kernels::run(tape.exec(),
                     kernels::StoreGradient{dv.size(), dv.view(), {.out = dv.view(), .act = act_, .saved = z_.view()}});
    return dv;
}

Tensor converted(const Tensor& t, DType dtype, Tape& tape)
{
    if (t.dtype() == dtype) return t;
    const Tensor other = tape.empty(t.shape(), dtype);
    kernels::run(tape.exec(), kernels::Cast{t.size(), t.view(), other.view()});
    return other;
}

} // namespace bifrons
