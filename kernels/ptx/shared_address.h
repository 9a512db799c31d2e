// kernels/ptx/shared_address.h - what a wrapper of kernels/ptx/ needs on the cuda side.
#pragma once

#include "kernels/device/simt.h"

#if defined(__CUDACC__)
namespace bifrons::kernels::cuda {

/// The 32-bit address in the shared window, as PTX instructions take it.
inline __device__ unsigned shared_address(const void* shared)
{
    return unsigned(__cvta_generic_to_shared(shared));
}

} // namespace bifrons::kernels::cuda
#endif
