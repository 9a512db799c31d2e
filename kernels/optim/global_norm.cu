// kernels/optim/global_norm.cu - the norm of all gradients. Limit: memory bandwidth.
#include "kernels/device/simt.h"
#include "kernels/optim/adam.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

struct Square {
    const float* g;
    __device__ double operator()(std::int64_t i) const { return double(g[i]) * double(g[i]); }
};

struct StoreRoot {
    float* norm;
    __device__ void operator()(double sum) const { *norm = float(std::sqrt(sum)); }
};

} // namespace

void global_norm(Exec ex, std::int64_t n, ConstView g, View norm)
{
    grid_sum("global_norm", ex, n, Square{g.as<float>()}, StoreRoot{norm.as<float>()});
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
