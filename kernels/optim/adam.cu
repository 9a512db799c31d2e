// kernels/optim/adam.cu - Adam over the flat arena, one thread an element. Limit: memory bandwidth (28 bytes each, 30 with
// the packed copy).
#include "kernels/optim/adam.h"

#include "kernels/base/bf16.h"
#include "kernels/device/simt.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

/// What is the same for every element of one update.
struct Update {
    float clip;          // factor of the gradients
    float rate;          // learning rate / (1 - beta1^t)
    float square_factor; // 1 / (1 - beta2^t)
};

__device__ Update update_of(const AdamOptions& o, const StepState& state)
{
    const double t = double(state.applied);
    return {.clip = o.clip > 0 && state.grad_norm > o.clip ? o.clip / state.grad_norm : 1.0f,
            .rate = float(state.learning_rate / (1 - std::pow(double(o.beta1), t))),
            .square_factor = float(1 / (1 - std::pow(double(o.beta2), t)))};
}

// The powers are in f64, which is slow on some GPUs: one thread of a block computes them for all.
__global__ void __launch_bounds__(kBlockSize)
    adam_kernel(std::int64_t n, AdamOptions o, const StepState* __restrict__ state, float* __restrict__ w,
                const float* __restrict__ g, float* __restrict__ m, float* __restrict__ v, bf16* __restrict__ packed)
{
    SHARED(Update, u);
    if (state->skip) return;
    if (threadIdx.x == 0) u = update_of(o, *state);
    __syncthreads();
    const std::int64_t i = global_thread();
    if (i >= n) return;
    const float clipped = u.clip * g[i];
    m[i] = o.beta1 * m[i] + (1 - o.beta1) * clipped;
    v[i] = o.beta2 * v[i] + (1 - o.beta2) * (clipped * clipped);
    const float updated = w[i] - u.rate * m[i] / (std::sqrt(u.square_factor * v[i]) + o.eps);
    w[i] = updated;
    if (packed) packed[i] = to_bf16(updated);
}

} // namespace

void adam(Exec ex, std::int64_t n, const AdamOptions& o, const StepState* state, View w, ConstView g, View m, View v,
          View packed)
{
    launch("adam", adam_kernel, grid_1d(n), ex, n, o, state, w.as<float>(), g.as<float>(), m.as<float>(),
           v.as<float>(), packed.as<bf16>());
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
