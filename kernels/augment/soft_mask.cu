// kernels/augment/soft_mask.cu - the weight of masked training in two launches. Limit: the first-level cache.
#include "kernels/augment/soft_mask.h"

#include "kernels/base/clamp.h"
#include "kernels/device/simt.h"

#include "kernels/color/blur.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

struct StoreWeight {
    __device__ float operator()(float blurred) const { return 2 * least(blurred, 0.5f); }
};

} // namespace

void run(Exec ex, const SoftMask& op)
{
    const SoftMaskShape& s = op.s;
    constexpr int kMostRadius = 128; // of sigma 64
    blur<kMostRadius>(op.kName, ex, s.size(), s.H, s.W, 1, {s.sigma, s.radius()}, op.mask.as<float>(),
                      static_cast<float*>(ex.workspace.data), op.y.as<float>(), StoreWeight{});
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
