// kernels/device/cuda_probe.cu - an empty kernel, to ask whether this program holds code for the current GPU.
#include <cuda_runtime.h>

namespace bifrons::kernels {

namespace {

__global__ void probe_kernel() {}

} // namespace

cudaError_t cuda_probe()
{
    cudaFuncAttributes attributes = {};
    return cudaFuncGetAttributes(&attributes, probe_kernel);
}

} // namespace bifrons::kernels
