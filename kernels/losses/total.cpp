#include "kernels/losses/total.h"

#include "kernels/base/on_type.h"
#include "kernels/device/dispatch.h"
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

void weighted_sum(Exec ex, const LossTerms& terms, View total)
{
    check_alike("weighted_sum", terms, total.dtype);
    const double bytes = (terms.count + 1.0) * double(dtype_bytes(total.dtype));
    if (accounted(ex, "weighted_sum", {.flops = 2.0 * terms.count, .bytes = bytes})) return;
    if (on_cpu(ex))
        return ex.device->enqueue(ex.stream, [=] {
            on_type<float, double>(total.dtype, [&]<class T>() { ref::weighted_sum(terms, total.as<T>()); });
        });
    BIFRONS_SIMT(ex, "weighted_sum", weighted_sum(ex, terms, total));
}

void list_terms(Exec ex, const LossTerms& terms, View list)
{
    check_alike("list_terms", terms, list.dtype);
    if (accounted(ex, "list_terms", {.bytes = 2.0 * terms.count * double(dtype_bytes(list.dtype))})) return;
    if (on_cpu(ex))
        return ex.device->enqueue(ex.stream, [=] {
            if (list.dtype == DType::f64) return ref::list_terms(terms, list.as<double>());
            ref::list_terms(terms, list.as<float>());
        });
    BIFRONS_SIMT(ex, "list_terms", list_terms(ex, terms, list));
}

void scale_scalar(Exec ex, ConstView upstream, float weight, const Store& d)
{
    d.check("scale_scalar", upstream.dtype);
    if (accounted(ex, "scale_scalar", store_gradient_cost(1, upstream.dtype, d))) return;
    if (on_cpu(ex))
        return ex.device->enqueue(ex.stream, [=] {
            on_type<float, double>(upstream.dtype, [&]<class T>() { store_scaled(upstream.as<T>(), weight, d); });
        });
    BIFRONS_SIMT(ex, "scale_scalar", scale_scalar(ex, upstream, weight, d));
}

} // namespace bifrons::kernels
