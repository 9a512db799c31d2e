// kernels/device/launch.h - the cuda side of simt.h: the one place where kernels are launched, and shared memory.
#pragma once

#include "kernels/device/cuda_device.h"
#include "kernels/device/device.h"
#include "kernels/device/grid.h"

#include <cuda_runtime.h>

/// A shared object of the block.
#define SHARED(Type, name) __shared__ Type name

namespace bifrons::kernels::cuda {

/// The dynamic shared memory of the block; the launch gives sizeof(T) bytes.
template <class T>
__device__ T& dyn_shared()
{
    extern __shared__ __align__(1024) unsigned char dynamic_shared_memory[];
    return *reinterpret_cast<T*>(dynamic_shared_memory);
}

/// Enqueues the kernel on ex.stream; arguments are converted to the kernel's parameters. Throws Error(device) naming
/// kernel and configuration. With BIFRONS_SYNC=1 in the environment it waits, so that a fault is met where it arose.
template <class... Parameters, class... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), const Grid& grid, const Exec& ex,
            const Arguments&... arguments)
{
    constexpr std::size_t kDefaultSmem = 48 << 10;
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(grid.blocks.x, grid.blocks.y, grid.blocks.z);
    config.blockDim = dim3(grid.threads.x, grid.threads.y, grid.threads.z);
    config.dynamicSmemBytes = grid.smem;
    config.stream = static_cast<cudaStream_t>(prepare_cuda_launch(ex));
    cudaError_t status = cudaSuccess;
    if (grid.smem > kDefaultSmem)
        status = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(grid.smem));
    if (status == cudaSuccess) status = cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...);
    finish_cuda_launch(ex, name, grid, status);
}

} // namespace bifrons::kernels::cuda
