// kernels/losses/store_mean.cuh - how a loss ends that is a mean: what grid_sum is given as `finish`.
#pragma once

#include "kernels/device/simt.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

struct StoreMean {
    double factor; // scale / elements
    float* loss;
    __device__ void operator()(double sum) const { *loss = float(factor * sum); }
};

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
