// kernels/ptx/fence.h - order between kernels, and between a thread's writes and the asynchronous units. Comes with
// simt.h. Fences between threads are CUDA's __threadfence().
// PTX ISA: fence.proxy.async, griddepcontrol (sm_90).
#pragma once

namespace bifrons::kernels::BIFRONS_SIMT_NS {

/// What every kernel begins with, in all its threads, before it touches global memory; its parameters it may read.
///
/// On sm_90 and newer a launch (launch.h) lets a kernel start while the one before it in the stream still runs, so that
/// the time a start takes is hidden. First this tells the GPU that the next kernel may come: its blocks follow when all
/// blocks of this kernel have begun or ended, so they take no place that this kernel still needs. Then it waits until
/// the kernel before has ended and its writes are visible. Older GPUs run one kernel after the other anyway.
///
/// - A kernel waits for one kernel, and relies on all before it: no kernel ends before the one before it has, since
///   each of its threads has passed here. So those pass too that have nothing to do.
/// - No parameter of a kernel is __restrict__, and there is no __ldg. The compiler would take what is read for constant
///   as long as the kernel runs, the time before this wait included; it would load it before the wait, or past the
///   caches that the wait makes right (ld.global.nc). tests/kernel_files.cmake finds both words.
inline __device__ void wait_for_previous_kernel()
{
#if !defined(__CUDACC__)
    Executor::current().wait_for_previous_kernel();
#elif __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
    asm volatile("griddepcontrol.wait;" ::: "memory");
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
