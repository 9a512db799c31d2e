// kernels/losses/bce.cu - binary cross-entropy and its gradient. Limit: memory bandwidth.
#include "kernels/losses/bce.h"

#include "kernels/device/simt.h"
#include "kernels/losses/bce_ref.h"
#include "kernels/losses/store_mean.cuh"
#include "kernels/pointwise/store.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

struct Logits {
    std::int64_t n, C;
    const float *x, *target, *mask; // the last two may be null
    float label;

    Logits(const BceShape& s, ConstView of_x, ConstView of_target, ConstView of_mask)
        : n(s.rows * s.C), C(s.C), x(of_x.as<float>()), target(of_target.as<float>()), mask(of_mask.as<float>()),
          label(s.label)
    {
        BIFRONS_CHECK(shape, n >> 32 == 0, "bce: ", n, " elements; expected fewer than 2^32");
    }
    /// x and t of elements i .. i+N-1.
    template <int N>
    __device__ void load(std::int64_t i, float (&at)[N], float (&t)[N]) const
    {
        load_packet(x + i, at);
        for (float& element : t) element = label;
        if (target) load_packet(target + i, t);
    }
    __device__ float weight(std::int64_t i) const { return mask ? mask[unsigned(i) / unsigned(C)] : 1.0f; }
};

template <int N>
struct CrossEntropies {
    Logits of;
    __device__ double operator()(std::int64_t packet) const
    {
        double sum = 0;
        in_packet<N>(packet * N, of.n, [&]<int M>(std::int64_t i) {
            float x[M], t[M];
            of.load(i, x, t);
            for (int k = 0; k < M; ++k) sum += double(of.weight(i + k)) * ref::cross_entropy(x[k], t[k]);
        });
        return sum;
    }
};

// A packet of neighbours a thread.
template <int N>
__global__ void __launch_bounds__(kBlockSize)
    bce_grad_kernel(Logits of, const float* upstream, float factor, GradientStore<float> d)
{
    wait_for_previous_kernel();
    const float scale = *upstream * factor;
    in_packets<N>(of.n, [&]<int M>(std::int64_t i) {
        float v[M], t[M];
        of.load(i, v, t);
        for (int k = 0; k < M; ++k) v[k] = scale * of.weight(i + k) * ref::cross_entropy_slope(v[k], t[k]);
        d.store(i, v);
    });
}

} // namespace

void run(Exec ex, const BceFwd& op)
{
    const Logits of(op.s, op.x, op.target, op.mask);
    on_packets<float>({op.x, op.target}, [&]<int N>() {
        grid_sum(op.kName, ex, (of.n + N - 1) / N, CrossEntropies<N>{of},
                 StoreMean{double(op.scale) / double(of.n), op.loss.as<float>()});
    });
}

void run(Exec ex, const BceGrad& op)
{
    const Logits of(op.s, op.x, op.target, op.mask);
    on_packets<float>({op.x, op.target, op.d.out, op.d.add, op.d.saved}, [&]<int N>() {
        launch(op.kName, bce_grad_kernel<N>, grid_of_packets<N>(of.n), ex, of, op.upstream.as<float>(),
               float(double(op.scale) / double(of.n)), GradientStore<float>(op.d));
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
