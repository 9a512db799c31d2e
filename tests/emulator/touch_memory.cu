#include "tests/emulator/touch_memory.h"

#include <cuda_runtime.h>

namespace bifrons::emulator {

namespace {

__global__ void __launch_bounds__(64) touch_kernel(unsigned char* address)
{
    if (blockIdx.x + blockIdx.y + threadIdx.x == 0) *address = kTouched;
}

} // namespace

cudaError_t touch_memory(void* address, const Touch& touch)
{
    cudaLaunchAttribute cooperative = {};
    cooperative.id = cudaLaunchAttributeCooperative;
    cooperative.val.cooperative = 1;
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(touch.cooperative_blocks > 0 ? touch.cooperative_blocks : 1, touch.blocks_y);
    config.blockDim = dim3(touch.threads);
    config.dynamicSmemBytes = touch.dynamic_shared;
    config.stream = touch.stream;
    config.attrs = &cooperative;
    config.numAttrs = touch.cooperative_blocks > 0;
    return cudaLaunchKernelEx(&config, touch_kernel, static_cast<unsigned char*>(address));
}

} // namespace bifrons::emulator
