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

void mse_fwd(Exec ex, const MseShape& s, ConstView a, ConstView b, ConstView mask, float scale, View loss)
{
    const Pictures of("mse", s, a, b, mask);
    on_packets<float>({a, b}, [&]<int N>() {
        grid_sum("mse_fwd", ex, (of.n + N - 1) / N, SquaredDifferences<N>{of},
                 StoreMean{double(scale) / double(of.n), loss.as<float>()});
    });
}

void mse_grad(Exec ex, const MseShape& s, ConstView a, ConstView b, ConstView mask, float scale, ConstView upstream,
              const Store& d)
{
    const Pictures of("mse", s, a, b, mask);
    on_packets<float>({a, b, d.out, d.add, d.saved}, [&]<int N>() {
        launch("mse_grad", mse_grad_kernel<N>, grid_of_packets<N>(of.n), ex, of, upstream.as<float>(),
               float(2 * double(scale) / double(of.n)), GradientStore<float>(d));
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
