#include "kernels/losses/total.h"

#include "kernels/base/on_type.h"
#include "kernels/losses/total_ref.h"
#include "kernels/pointwise/epilogue_cpu.h"

namespace bifrons::kernels {

namespace {

template <class T>
void store_scaled(const T* upstream, float weight, const Store& d)
{
    const T v = ref::scale_scalar(upstream, weight);
    cpu::store_gradient_run(d, 0, 1, &v);
}

void check_alike(const char* op, const LossTerms& terms, DType dtype)
{
    for (int i = 0; i < terms.count; ++i)
        BIFRONS_CHECK(shape, terms.value[i].dtype == dtype, op, ": term ", i, " is ", dtype_name(terms.value[i].dtype),
                      ", the result ", dtype_name(dtype), "; expected the same type");
}

} // namespace

void LossTerms::add(ConstView term, float factor)
{
    BIFRONS_CHECK(shape, count < kMax, "total: more than ", kMax, " terms");
    value[count] = term;
    weight[count++] = factor;
}

void WeightedSum::check(Target) const
{
    check_alike(kName, terms, total.dtype);
}

Cost WeightedSum::cost(Target) const
{
    const double bytes = (terms.count + 1.0) * double(dtype_bytes(total.dtype));
    return {.flops = 2.0 * terms.count, .bytes = bytes};
}

void ListTerms::check(Target) const
{
    check_alike(kName, terms, list.dtype);
}

Cost ListTerms::cost(Target) const
{
    return {.bytes = 2.0 * terms.count * double(dtype_bytes(list.dtype))};
}

void ScaleScalar::check(Target) const
{
    d.check(kName, upstream.dtype);
}

Cost ScaleScalar::cost(Target target) const
{
    return StoreGradient{1, upstream, d}.cost(target);
}

void cpu::run(Exec, const WeightedSum& op)
{
    on_type<float, double>(op.total.dtype, [&]<class T>() { ref::weighted_sum(op.terms, op.total.as<T>()); });
}

void cpu::run(Exec, const ListTerms& op)
{
    if (op.list.dtype == DType::f64) return ref::list_terms(op.terms, op.list.as<double>());
    ref::list_terms(op.terms, op.list.as<float>());
}

void cpu::run(Exec, const ScaleScalar& op)
{
    on_type<float, double>(op.upstream.dtype, [&]<class T>() { store_scaled(op.upstream.as<T>(), op.weight, op.d); });
}

} // namespace bifrons::kernels
