// kernels/optim/adam.cu - Adam over the flat arena, a packet of neighbours a thread. Limit: memory bandwidth (28 bytes
// an element, 30 with the packed copy).
#include "kernels/optim/adam.h"

#include "kernels/device/packet.cuh"
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
template <int N>
__global__ void __launch_bounds__(kBlockSize)
    adam_kernel(std::int64_t n, AdamOptions o, const StepState* __restrict__ state, float* __restrict__ w,
                const float* __restrict__ g, float* __restrict__ m, float* __restrict__ v, bf16* __restrict__ packed)
{
    SHARED(Update, u);
    if (state->skip) return;
    if (threadIdx.x == 0) {
        const Update update = update_of(o, *state); // gcc does not show the checker what a call returns into memory
        u = update;
    }
    __syncthreads();
    in_packets<N>(n, [&]<int M>(std::int64_t i) {
        float gradient[M], first[M], second[M], weight[M];
        load_packet(g + i, gradient);
        load_packet(m + i, first);
        load_packet(v + i, second);
        load_packet(w + i, weight);
        for (int k = 0; k < M; ++k) {
            const float clipped = u.clip * gradient[k];
            first[k] = o.beta1 * first[k] + (1 - o.beta1) * clipped;
            second[k] = o.beta2 * second[k] + (1 - o.beta2) * (clipped * clipped);
            weight[k] -= u.rate * first[k] / (std::sqrt(u.square_factor * second[k]) + o.eps);
        }
        store_packet(m + i, first);
        store_packet(v + i, second);
        store_packet(w + i, weight);
        if (packed) store_packet(packed + i, weight);
    });
}

} // namespace

void adam(Exec ex, std::int64_t n, const AdamOptions& o, const StepState* state, View w, ConstView g, View m, View v,
          View packed)
{
    on_packets<float>({w, g, m, v, packed}, [&]<int N>() {
        launch("adam", adam_kernel<N>, grid_of_packets<N>(n), ex, n, o, state, w.as<float>(), g.as<float>(),
               m.as<float>(), v.as<float>(), packed.as<bf16>());
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
