// kernels/losses/adversarial.cu - adversarial losses and their gradients. Limit: memory bandwidth.
#include "kernels/losses/adversarial.h"

#include "kernels/device/simt.h"
#include "kernels/losses/adversarial_ref.h"
#include "kernels/losses/store_mean.cuh"
#include "kernels/pointwise/store.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

template <int N>
struct WorthOfAnswers {
    AdversarialShape s;
    const float* x;
    __device__ double operator()(std::int64_t packet) const
    {
        double sum = 0;
        in_packet<N>(packet * N, s.n, [&]<int M>(std::int64_t i) {
            float v[M];
            load_packet(x + i, v);
            for (const float answer : v) sum += ref::adversarial(s.loss, s.wanted, answer);
        });
        return sum;
    }
};

// A packet of neighbours a thread.
template <int N>
__global__ void __launch_bounds__(kBlockSize)
    adversarial_grad_kernel(AdversarialShape s, const float* x, const float* upstream, float factor,
                            GradientStore<float> d)
{
    wait_for_previous_kernel();
    const float scale = *upstream * factor;
    in_packets<N>(s.n, [&]<int M>(std::int64_t i) {
        float v[M];
        load_packet(x + i, v);
        for (float& element : v) element = scale * ref::adversarial_slope(s.loss, s.wanted, element);
        d.store(i, v);
    });
}

} // namespace

void run(Exec ex, const AdversarialFwd& op)
{
    const AdversarialShape& s = op.s;
    on_packets<float>({op.x}, [&]<int N>() {
        grid_sum(op.kName, ex, (s.n + N - 1) / N, WorthOfAnswers<N>{s, op.x.as<float>()},
                 StoreMean{double(op.scale) / double(s.n), op.loss.as<float>()});
    });
}

void run(Exec ex, const AdversarialGrad& op)
{
    const AdversarialShape& s = op.s;
    on_packets<float>({op.x, op.d.out, op.d.add, op.d.saved}, [&]<int N>() {
        launch(op.kName, adversarial_grad_kernel<N>, grid_of_packets<N>(s.n), ex, s, op.x.as<float>(),
               op.upstream.as<float>(), float(double(op.scale) / double(s.n)), GradientStore<float>(op.d));
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
