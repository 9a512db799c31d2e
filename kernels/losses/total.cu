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

void run(Exec ex, const WeightedSum& op)
{
    launch(op.kName, weighted_sum_kernel, {}, ex, op.terms, op.total.as<float>());
}

void run(Exec ex, const ListTerms& op)
{
    launch(op.kName, list_terms_kernel, {}, ex, op.terms, op.list.as<float>());
}

void run(Exec ex, const ScaleScalar& op)
{
    launch(op.kName, scale_scalar_kernel, {}, ex, op.upstream.as<float>(), op.weight, GradientStore<float>(op.d));
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
