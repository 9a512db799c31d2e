#include "engine/optimizer.h"

namespace bifrons {

void Adam::allocate(kernels::Exec ex, Memory& memory)
{
    const DType dtype = params_.weights().dtype();
    m_ = Tensor::empty({params_.arena_size()}, dtype, memory);
    v_ = Tensor::empty({params_.arena_size()}, dtype, memory);
    norm_ = Tensor::empty({1}, dtype, memory);
    for (const Tensor& t : {m_, v_, norm_}) ex.device->fill(ex.stream, t.view().data, 0, t.bytes());
}

void Adam::step(kernels::Exec ex, kernels::StepState* state, const Tensor& losses) const
{
    const std::int64_t n = params_.arena_size();
    kernels::global_norm(ex, n, params_.gradients().view(), norm_.view());
    kernels::judge_step(ex, state, losses.size(), losses.view(), norm_.view());
    kernels::adam(ex, n, options_, state, params_.weights().view(), params_.gradients().view(), m_.view(), v_.view(),
                  params_.packed() ? params_.packed().view() : kernels::View{});
}

} // namespace bifrons
