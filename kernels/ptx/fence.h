// kernels/ptx/fence.h - order between kernels, and between a thread's writes and the asynchronous units.
// PTX ISA: fence.proxy.async, griddepcontrol (sm_90). Fences between threads are CUDA's __threadfence().
#pragma once

#include "kernels/device/simt.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

/// Waits until the kernel before this one in the stream has ended and its writes are visible. What a kernel that is
/// launched with `pdl` does first. Where kernels cannot overlap (before sm_90) that is so already.
inline __device__ void grid_dependency_wait()
{
#if !defined(__CUDACC__)
    Executor::current().wait_for_previous_kernel();
#elif __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

/// The kernel after this one, if it is launched with `pdl`, may start now: when every block has called this or ended.
inline __device__ void grid_dependency_launch()
{
#if defined(__CUDACC__) && __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

/// The thread's writes to shared memory are visible to asynchronous units that it starts afterwards. sm_90 and newer;
/// traps on older ones. In simulation they are at once.
inline __device__ void fence_proxy_async()
{
#if defined(__CUDACC__) && __CUDA_ARCH__ >= 900
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#elif defined(__CUDA_ARCH__)
    __trap();
#endif
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
