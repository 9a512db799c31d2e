// kernels/sim/sim.h - the sim side of simt.h: CUDA's words for the host compiler, without CUDA's headers. A kernel
// becomes a plain function; the executor calls it once for each thread.
#pragma once

#include "kernels/device/device.h"
#include "kernels/sim/atomics.h"
#include "kernels/sim/executor.h"
#include "kernels/sim/intrinsics.h"
#include "kernels/sim/shuffle.h"
#include "kernels/sim/vectors.h"
#include "kernels/sim/vote.h"

#include <tuple>
#include <type_traits>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(bytes) alignas(bytes)
#define __grid_constant__
#define __shared__ static_assert(false, "write SHARED(Type, name) or dyn_shared<Type>()")

/// A shared object of the block. The key is one for each instantiation of a kernel template, as the object is.
#define SHARED(Type, name)                                                                                             \
    static char name##_key;                                                                                            \
    Type& name =                                                                                                       \
        *static_cast<Type*>(::bifrons::kernels::sim::Executor::current().shared_object(&name##_key, sizeof(Type)))

namespace bifrons::kernels::sim {

extern constinit thread_local Dim3 threadIdx, blockIdx, blockDim, gridDim;

using std::max;
using std::min;

/// The dynamic shared memory of the block; the launch gives sizeof(T) bytes.
template <class T>
T& dyn_shared()
{
    return *static_cast<T*>(Executor::current().dynamic_shared(sizeof(T)));
}

inline void __syncthreads(const char* file = __builtin_FILE(), int line = __builtin_LINE())
{
    Executor::current().barrier({"__syncthreads", file, line});
}

inline void __syncwarp(unsigned mask = 0xffffffffu, const char* file = __builtin_FILE(), int line = __builtin_LINE())
{
    Executor::current().meet_warp(mask, nullptr, nullptr, {"__syncwarp", file, line});
}

template <class T>
T __shfl_sync(unsigned mask, T value, int source, const char* file = __builtin_FILE(), int line = __builtin_LINE())
{
    return shuffle(mask, value, source & (kWarpSize - 1), {"__shfl_sync", file, line});
}

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lane_mask, const char* file = __builtin_FILE(),
                  int line = __builtin_LINE())
{
    return shuffle(mask, value, lane() ^ lane_mask, {"__shfl_xor_sync", file, line});
}

template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned distance, const char* file = __builtin_FILE(),
                   int line = __builtin_LINE())
{
    const int source = lane() + int(distance);
    return shuffle(mask, value, source < kWarpSize ? source : lane(), {"__shfl_down_sync", file, line});
}

template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned distance, const char* file = __builtin_FILE(),
                 int line = __builtin_LINE())
{
    const int source = lane() - int(distance);
    return shuffle(mask, value, source >= 0 ? source : lane(), {"__shfl_up_sync", file, line});
}

/// How many blocks of the kernel run at once.
template <class... Parameters>
int resident_blocks(void (*)(Parameters...), unsigned, std::size_t, const kernels::Exec&)
{
    return kResidentBlocks;
}

/// Enqueues the calls of body; kernels start by launch.
void enqueue_kernel(const char* name, const Grid& grid, const kernels::Exec& ex, std::function<void()> body);

/// Enqueues the kernel on ex.stream; arguments are converted to the kernel's parameters. Error(bug) where the kernel
/// breaks a rule of CUDA.
template <class... Parameters, class... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), const Grid& grid, const kernels::Exec& ex,
            const Arguments&... arguments)
{
    static_assert((std::is_trivially_copyable_v<Parameters> && ...), "kernel parameters are copied byte for byte");
    const std::tuple<Parameters...> parameters{static_cast<Parameters>(arguments)...};
    const auto run = [kernel](Parameters... copies) {
        const auto function = kernel;
        const KernelCode code; // from here on: so far the host's memory was read
        function(copies...);
    };
    enqueue_kernel(name, grid, ex, [=] { std::apply(run, parameters); });
}

} // namespace bifrons::kernels::sim
