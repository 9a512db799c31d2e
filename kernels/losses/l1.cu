// kernels/losses/l1.cu - mean absolute error and its gradient. Limit: memory bandwidth.
#include "kernels/losses/l1.h"

#include "kernels/losses/picture_pair.cuh"
#include "kernels/losses/store_mean.cuh"
#include "kernels/pointwise/store.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

template <int N>
struct Differences {
    Pictures of;
    __device__ double operator()(std::int64_t packet) const
    {
        double sum = 0;
        in_packet<N>(packet * N, of.n, [&]<int M>(std::int64_t i) {
            float m[M], a[M], b[M];
            of.load(i, m, a, b);
            for (int k = 0; k < M; ++k) sum += double(m[k]) * double(std::fabs(a[k] - b[k]));
        });
        return sum;
    }
};

// A packet of neighbours a thread.
template <int N>
__global__ void __launch_bounds__(kBlockSize)
    l1_grad_kernel(Pictures of, const float* upstream, float factor, GradientStore<float> d)
{
    wait_for_previous_kernel();
    const float scale = *upstream * factor;
    in_packets<N>(of.n, [&]<int M>(std::int64_t i) {
        float m[M], v[M], b[M];
        of.load(i, m, v, b);
        for (int k = 0; k < M; ++k) v[k] = scale * m[k] * float((v[k] > b[k]) - (v[k] < b[k]));
        d.store(i, v);
    });
}

} // namespace

void run(Exec ex, const L1Fwd& op)
{
    const Pictures of("l1", op.s, op.a, op.b, op.mask);
    on_packets<float>({op.a, op.b}, [&]<int N>() {
        grid_sum(op.kName, ex, (of.n + N - 1) / N, Differences<N>{of},
                 StoreMean{double(op.scale) / double(of.n), op.loss.as<float>()});
    });
}

void run(Exec ex, const L1Grad& op)
{
    const Pictures of("l1", op.s, op.a, op.b, op.mask);
    on_packets<float>({op.a, op.b, op.d.out, op.d.add, op.d.saved}, [&]<int N>() {
        launch(op.kName, l1_grad_kernel<N>, grid_of_packets<N>(of.n), ex, of, op.upstream.as<float>(),
               float(double(op.scale) / double(of.n)), GradientStore<float>(op.d));
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
