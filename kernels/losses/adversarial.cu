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

void adversarial_fwd(Exec ex, const AdversarialShape& s, ConstView x, float scale, View loss)
{
    on_packets<float>({x}, [&]<int N>() {
        grid_sum("adversarial_fwd", ex, (s.n + N - 1) / N, WorthOfAnswers<N>{s, x.as<float>()},
                 StoreMean{double(scale) / double(s.n), loss.as<float>()});
    });
}

void adversarial_grad(Exec ex, const AdversarialShape& s, ConstView x, float scale, ConstView upstream, const Store& d)
{
    on_packets<float>({x, d.out, d.add, d.saved}, [&]<int N>() {
        launch("adversarial_grad", adversarial_grad_kernel<N>, grid_of_packets<N>(s.n), ex, s, x.as<float>(),
               upstream.as<float>(), float(double(scale) / double(s.n)), GradientStore<float>(d));
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
