// kernels/device/cuda_probe.cu - an empty kernel, to ask which code this program holds for the current GPU.
#include <cuda_runtime.h>

namespace bifrons::kernels {

namespace {

__global__ void probe_kernel() {}

} // namespace

cudaError_t cuda_probe(int& architecture)
{
    cudaFuncAttributes attributes = {};
    const cudaError_t status = cudaFuncGetAttributes(&attributes, probe_kernel);
    architecture = attributes.ptxVersion;
    return status;
}

} // namespace bifrons::kernels
