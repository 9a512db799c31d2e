// kernels/losses/mse.cu - mean squared error and its gradient. Limit: memory bandwidth.
#include "kernels/losses/mse.h"

#include "kernels/losses/picture_pair.cuh"
#include "kernels/losses/store_mean.cuh"
#include "kernels/pointwise/store.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

template <int N>
struct SquaredDifferences {
    Pictures of;
    __device__ double operator()(std::int64_t packet) const
    {
        double sum = 0;
        in_packet<N>(packet * N, of.n, [&]<int M>(std::int64_t i) {
            float m[M], a[M], b[M];
            of.load(i, m, a, b);
            for (int k = 0; k < M; ++k) a[k] = m[k] * a[k] - m[k] * b[k];
            for (const float d : a) sum += double(d) * d;
        });
        return sum;
    }
};

// A packet of neighbours a thread.
template <int N>
__global__ void __launch_bounds__(kBlockSize)
    mse_grad_kernel(Pictures of, const float* upstream, float factor, GradientStore<float> d)
{
    wait_for_previous_kernel();
    const float scale = *upstream * factor;
    in_packets<N>(of.n, [&]<int M>(std::int64_t i) {
        float m[M], v[M], b[M];
        of.load(i, m, v, b);
        for (int k = 0; k < M; ++k) v[k] = m[k] * v[k] - m[k] * b[k];
        for (int k = 0; k < M; ++k) v[k] *= scale * m[k];
        d.store(i, v);
    });
}

} // namespace

void run(Exec ex, const MseFwd& op)
{
    const Pictures of("mse", op.s, op.a, op.b, op.mask);
    on_packets<float>({op.a, op.b}, [&]<int N>() {
        grid_sum(op.kName, ex, (of.n + N - 1) / N, SquaredDifferences<N>{of},
                 StoreMean{double(op.scale) / double(of.n), op.loss.as<float>()});
    });
}

void run(Exec ex, const MseGrad& op)
{
    const Pictures of("mse", op.s, op.a, op.b, op.mask);
    on_packets<float>({op.a, op.b, op.d.out, op.d.add, op.d.saved}, [&]<int N>() {
        launch(op.kName, mse_grad_kernel<N>, grid_of_packets<N>(of.n), ex, of, op.upstream.as<float>(),
               float(2 * double(op.scale) / double(of.n)), GradientStore<float>(op.d));
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
