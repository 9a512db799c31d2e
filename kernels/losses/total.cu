// kernels/losses/total.cu - the total loss and its gradient, by one thread.
#include "kernels/losses/total.h"

#include "kernels/device/simt.h"
#include "kernels/losses/total_ref.h"
#include "kernels/pointwise/store.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

__global__ void weighted_sum_kernel(LossTerms terms, float* total)
{
    wait_for_previous_kernel();
    ref::weighted_sum(terms, total);
}

__global__ void list_terms_kernel(LossTerms terms, float* list)
{
    wait_for_previous_kernel();
    ref::list_terms(terms, list);
}

__global__ void scale_scalar_kernel(const float* upstream, float weight, GradientStore<float> d)
{
    wait_for_previous_kernel();
    d.store(0, ref::scale_scalar(upstream, weight));
}

} // namespace

void weighted_sum(Exec ex, const LossTerms& terms, View total)
{
    launch("weighted_sum", weighted_sum_kernel, {}, ex, terms, total.as<float>());
}

void list_terms(Exec ex, const LossTerms& terms, View list)
{
    launch("list_terms", list_terms_kernel, {}, ex, terms, list.as<float>());
}

void scale_scalar(Exec ex, ConstView upstream, float weight, const Store& d)
{
    launch("scale_scalar", scale_scalar_kernel, {}, ex, upstream.as<float>(), weight, GradientStore<float>(d));
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
