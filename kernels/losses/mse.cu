// kernels/losses/mse.cu - mean squared error and its gradient. Limit: memory bandwidth.
#include "kernels/losses/mse.h"

#include "kernels/device/simt.h"
#include "kernels/losses/store_mean.cuh"
#include "kernels/pointwise/store.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

struct Pictures {
    std::int64_t n, C;
    const float *a, *b, *mask; // mask may be null

    Pictures(const MseShape& s, ConstView of_a, ConstView of_b, ConstView of_mask)
        : n(s.rows * s.C), C(s.C), a(of_a.as<float>()), b(of_b.as<float>()), mask(of_mask.as<float>())
    {
        BIFRONS_CHECK(shape, n >> 32 == 0, "mse: ", n, " elements; fewer than 2^32 expected");
    }
    /// m and m a - m b of elements i .. i+N-1.
    template <int N>
    __device__ void load(std::int64_t i, float (&m)[N], float (&difference)[N]) const
    {
        float other[N];
        load_packet(a + i, difference);
        load_packet(b + i, other);
        for (int k = 0; k < N; ++k) {
            m[k] = mask ? mask[unsigned(i + k) / unsigned(C)] : 1.0f;
            difference[k] = m[k] * difference[k] - m[k] * other[k];
        }
    }
};

template <int N>
struct SquaredDifferences {
    Pictures of;
    __device__ double operator()(std::int64_t packet) const
    {
        double sum = 0;
        in_packet<N>(packet * N, of.n, [&]<int M>(std::int64_t i) {
            float m[M], difference[M];
            of.load(i, m, difference);
            for (const float d : difference) sum += double(d) * d;
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
        float m[M], v[M];
        of.load(i, m, v);
        for (int k = 0; k < M; ++k) v[k] *= scale * m[k];
        d.store(i, v);
    });
}

} // namespace

void mse_fwd(Exec ex, const MseShape& s, ConstView a, ConstView b, ConstView mask, float scale, View loss)
{
    const Pictures of(s, a, b, mask);
    on_packets<float>({a, b}, [&]<int N>() {
        grid_sum("mse_fwd", ex, (of.n + N - 1) / N, SquaredDifferences<N>{of},
                 StoreMean{double(scale) / double(of.n), loss.as<float>()});
    });
}

void mse_grad(Exec ex, const MseShape& s, ConstView a, ConstView b, ConstView mask, float scale, ConstView upstream,
              const Store& d)
{
    const Pictures of(s, a, b, mask);
    on_packets<float>({a, b, d.out, d.add, d.saved}, [&]<int N>() {
        launch("mse_grad", mse_grad_kernel<N>, grid_of_packets<N>(of.n), ex, of, upstream.as<float>(),
               float(2 * double(scale) / double(of.n)), GradientStore<float>(d));
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
