// kernels/device/simt.h - what a kernel file (.cu) includes besides its contract. Each such file is compiled twice: by
// nvcc into namespace cuda, and by the host compiler, against the simulator, into namespace sim. Both sides give:
//
//   __global__ threadIdx __syncthreads() __shfl_xor_sync() __ballot_sync() __reduce_add_sync() atomicAdd() float4
//   __popc() __threadfence() ...   CUDA's own words, as far as kernels use them (kernels/sim/ says which)
//   launch("relu_fwd", relu_kernel, grid_1d(n), ex, arguments...)            the only way to start a kernel
//   wait_for_previous_kernel();         what every kernel begins with, see ptx/fence.h
//   resident_blocks(kernel, threads, smem, ex)   how many blocks run at once: the most of a cooperative launch
//   global_thread()                     this thread's number in a one-dimensional grid
//   SHARED(Type, name);                 a shared object of a block, uninitialised (an alias names an array type)
//   dyn_shared<Type>()                  the grid's `smem` bytes as a Type
//   warp_sum, block_sum, grid_sum       sums in a fixed order, see reduce.cuh
//
// A kernel file reads:  namespace bifrons::kernels::BIFRONS_SIMT_NS { namespace { kernels } entry functions }
// Inline PTX and tests of the architecture stand under kernels/ptx/ only.
#pragma once

#include "kernels/device/device.h"
#include "kernels/device/grid.h"

#if defined(__CUDACC__)
#define BIFRONS_SIMT_NS cuda
#include "kernels/device/launch.h"
#else
#define BIFRONS_SIMT_NS sim
#include "kernels/sim/sim.h"
#endif

namespace bifrons::kernels::BIFRONS_SIMT_NS {

constexpr unsigned kWholeWarp = 0xffffffffu;

inline __device__ std::int64_t global_thread()
{
    return std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS

#include "kernels/ptx/fence.h"

#include "kernels/device/reduce.cuh"
