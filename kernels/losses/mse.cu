// kernels/losses/mse.cu - mean squared error and its gradient. Limit: memory bandwidth.
#include "kernels/losses/mse.h"

#include "kernels/device/simt.h"
#include "kernels/pointwise/store.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

/// m a - m b of one element.
struct Difference {
    std::int64_t C;
    const float *a, *b, *mask; // mask may be null

    __device__ float weight(std::int64_t i) const { return mask ? mask[i / C] : 1.0f; }
    __device__ float operator()(std::int64_t i) const { return weight(i) * a[i] - weight(i) * b[i]; }
};

struct SquaredDifference {
    Difference difference;
    __device__ double operator()(std::int64_t i) const
    {
        const double d = difference(i);
        return d * d;
    }
};

struct StoreMean {
    double factor; // scale / (rows*C)
    float* loss;
    __device__ void operator()(double sum) const { *loss = float(factor * sum); }
};

// One thread an element.
__global__ void __launch_bounds__(kBlockSize)
    mse_grad_kernel(std::int64_t n, Difference difference, const float* __restrict__ upstream, float factor,
                    GradientStore<float> d)
{
    const std::int64_t i = global_thread();
    if (i < n) d.store(i, *upstream * factor * difference.weight(i) * difference(i));
}

Difference difference_of(const MseShape& s, ConstView a, ConstView b, ConstView mask)
{
    return {s.C, a.as<float>(), b.as<float>(), mask.as<float>()};
}

} // namespace

void mse_fwd(Exec ex, const MseShape& s, ConstView a, ConstView b, ConstView mask, float scale, View loss)
{
    const std::int64_t n = s.rows * s.C;
    grid_sum("mse_fwd", ex, n, SquaredDifference{difference_of(s, a, b, mask)},
             StoreMean{double(scale) / double(n), loss.as<float>()});
}

void mse_grad(Exec ex, const MseShape& s, ConstView a, ConstView b, ConstView mask, float scale, ConstView upstream,
              const Store& d)
{
    const std::int64_t n = s.rows * s.C;
    launch("mse_grad", mse_grad_kernel, grid_1d(n), ex, n, difference_of(s, a, b, mask), upstream.as<float>(),
           float(2 * double(scale) / double(n)), GradientStore<float>(d));
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
