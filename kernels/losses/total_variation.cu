// kernels/losses/total_variation.cu - total variation and its gradient. An element a thread: its neighbours come from
// the caches. Limit: memory bandwidth.
#include "kernels/losses/total_variation.h"

#include "kernels/device/simt.h"
#include "kernels/losses/store_mean.cuh"
#include "kernels/losses/total_variation_ref.h"
#include "kernels/pointwise/store.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

struct Pixel {
    unsigned y, x;
    __device__ Pixel(const TotalVariationShape& s, std::int64_t i)
    {
        const unsigned pixel = unsigned(i) / unsigned(s.C), row = pixel / unsigned(s.W);
        y = row % unsigned(s.H);
        x = pixel - row * unsigned(s.W);
    }
};

struct Variation {
    TotalVariationShape s;
    const float* p;
    __device__ double operator()(std::int64_t i) const
    {
        const Pixel at(s, i);
        return ref::variation_ahead(s, p, i, at.y, at.x);
    }
};

__global__ void __launch_bounds__(kBlockSize)
    total_variation_grad_kernel(TotalVariationShape s, const float* p, const float* upstream, float factor,
                                GradientStore<float> d)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread();
    if (i >= s.size()) return;
    const Pixel at(s, i);
    d.store(i, *upstream * factor * ref::variation_slope(s, p, i, at.y, at.x));
}

void check_size(const TotalVariationShape& s)
{
    BIFRONS_CHECK(shape, s.size() >> 32 == 0, "total_variation: ", s.size(), " elements; expected fewer than 2^32");
}

} // namespace

void run(Exec ex, const TotalVariationFwd& op)
{
    const TotalVariationShape& s = op.s;
    check_size(s);
    grid_sum(op.kName, ex, s.size(), Variation{s, op.p.as<float>()},
             StoreMean{double(op.scale) / double(s.N), op.loss.as<float>()});
}

void run(Exec ex, const TotalVariationGrad& op)
{
    const TotalVariationShape& s = op.s;
    check_size(s);
    launch(op.kName, total_variation_grad_kernel, grid_1d(s.size()), ex, s, op.p.as<float>(), op.upstream.as<float>(),
           float(2 * double(op.scale) / double(s.N)), GradientStore<float>(op.d));
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
