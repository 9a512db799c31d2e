// kernels/color/gaussian_blur.cu - low-pass in two launches. Limit: the first-level cache, one read a tap.
#include "kernels/color/gaussian_blur.h"

#include "kernels/base/clamp.h"
#include "kernels/device/simt.h"

#include "kernels/color/blur.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

void run(Exec ex, const GaussianBlur& op)
{
    const BlurShape& s = op.s;
    constexpr int kMostRadius = 3000; // of sigma 1000
    blur<kMostRadius>(op.kName, ex, s.size(), s.H, s.W, s.C, {s.sigma, s.radius()}, op.x.as<float>(),
                      static_cast<float*>(ex.workspace.data), op.y.as<float>(), StoreBlurred{});
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
