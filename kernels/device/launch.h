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

template <class... Parameters>
cudaError_t allow_shared_memory(void (*kernel)(Parameters...), std::size_t bytes)
{
    constexpr std::size_t kAllowedAlways = 48 << 10;
    if (bytes <= kAllowedAlways) return cudaSuccess;
    return cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(bytes));
}

/// How many blocks of the kernel run at once on ex.device.
template <class... Parameters>
int resident_blocks(void (*kernel)(Parameters...), unsigned threads, std::size_t smem, const kernels::Exec& ex)
{
    select_cuda_device(ex);
    int gpu = 0, multiprocessors = 0, of_each = 0;
    cudaError_t status = allow_shared_memory(kernel, smem);
    if (status == cudaSuccess) status = cudaGetDevice(&gpu);
    if (status == cudaSuccess) status = cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, gpu);
    if (status == cudaSuccess)
        status = cudaOccupancyMaxActiveBlocksPerMultiprocessor(&of_each, kernel, int(threads), smem);
    BIFRONS_CHECK(device, status == cudaSuccess, "cuda: asking how many blocks of ", threads, " threads with ", smem,
                  " bytes of shared memory run at once failed: ", cudaGetErrorString(status));
    return multiprocessors * of_each;
}

/// Fills in what the grid asks for beside its sizes, and returns the number of attributes.
///
/// A kernel may start while the one before it in the stream still runs (wait_for_previous_kernel). A recording keeps
/// that as a programmatic edge between two kernels. What else stands before it, a copy, a fill, or an event of another
/// stream, it follows as always; so do events and copies behind it, which wait until it has ended. Blocks of a
/// cooperative grid need all their places at once: it starts when the kernel before has ended.
inline unsigned launch_attributes(const Grid& grid, const kernels::Exec& ex, cudaLaunchAttribute (&attributes)[2])
{
    unsigned n = 0;
    const auto next = [&](cudaLaunchAttributeID id) -> cudaLaunchAttributeValue& {
        attributes[n].id = id;
        return attributes[n++].val;
    };
    if (grid.cluster > 1) {
        auto& size = next(cudaLaunchAttributeClusterDimension).clusterDim;
        size.x = grid.cluster, size.y = 1, size.z = 1;
    }
    if (grid.cooperative)
        next(cudaLaunchAttributeCooperative).cooperative = 1;
    else if (kernels_overlap(ex))
        next(cudaLaunchAttributeProgrammaticStreamSerialization).programmaticStreamSerializationAllowed = 1;
    return n;
}

/// Enqueues the kernel on ex.stream; arguments are converted to the kernel's parameters. Throws Error(device) naming
/// kernel and configuration. With BIFRONS_SYNC=1 in the environment it waits, so that a fault is met where it arose.
template <class... Parameters, class... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), const Grid& grid, const kernels::Exec& ex,
            const Arguments&... arguments)
{
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(grid.blocks.x, grid.blocks.y, grid.blocks.z);
    config.blockDim = dim3(grid.threads.x, grid.threads.y, grid.threads.z);
    config.dynamicSmemBytes = grid.smem;
    config.stream = static_cast<cudaStream_t>(prepare_cuda_launch(ex, name));
    cudaLaunchAttribute attributes[2];
    config.attrs = attributes;
    config.numAttrs = launch_attributes(grid, ex, attributes);
    cudaError_t status = allow_shared_memory(kernel, grid.smem);
    if (status == cudaSuccess) status = cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...);
    finish_cuda_launch(ex, name, grid, status);
}

} // namespace bifrons::kernels::cuda
