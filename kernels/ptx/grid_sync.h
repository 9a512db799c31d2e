// kernels/ptx/grid_sync.h - blocks that wait for each other. Only in launches with `cooperative`.
// PTX ISA: ld.acquire.gpu (sm_70).
#pragma once

#include "kernels/device/simt.h"

#if defined(__CUDACC__)
namespace bifrons::kernels::cuda {

/// Waits until ready(*value) for a value in global memory that others change by atomic operations; then what they had
/// done before their __threadfence() is visible. There is no other way to wait in a loop.
template <class Ready>
__device__ void spin_wait(const unsigned* value, const Ready& ready)
{
    unsigned now = 0;
    do asm volatile("ld.acquire.gpu.u32 %0, [%1];" : "=r"(now) : "l"(value) : "memory");
    while (!ready(now));
}

inline __device__ void check_cooperative() {}

} // namespace bifrons::kernels::cuda
#else
namespace bifrons::kernels::sim {

/// A value that a thread waits for.
class ValueIsReady : public Condition {
  public:
    ValueIsReady(const unsigned* value, std::function<bool(unsigned)> ready) : value_(value), ready_(std::move(ready))
    {
    }
    bool holds() const override;
    std::string missing() const override;

  private:
    const unsigned* value_;
    std::function<bool(unsigned)> ready_;
};

void spin_wait(const unsigned* value, const std::function<bool(unsigned)>& ready, const char* file = __builtin_FILE(),
               int line = __builtin_LINE());

inline void check_cooperative()
{
    Executor::current().check_cooperative({"grid_sync", __builtin_FILE(), __builtin_LINE()});
}

} // namespace bifrons::kernels::sim
#endif

namespace bifrons::kernels::BIFRONS_SIMT_NS {

/// A barrier of all threads of the grid. `counter` in global memory is 0 before its first use and may be used again
/// without a reset, by later launches too. (Each round adds 2^31, block 0's share being what makes it so; the top bit
/// tells the rounds apart.)
inline __device__ void grid_sync(unsigned* counter)
{
    constexpr unsigned kRound = 0x80000000u;
    check_cooperative();
    __syncthreads();
    if (threadIdx.x + threadIdx.y + threadIdx.z == 0) {
        const unsigned others = gridDim.x * gridDim.y * gridDim.z - 1;
        const bool first = blockIdx.x + blockIdx.y + blockIdx.z == 0;
        __threadfence();
        const unsigned old = atomicAdd(counter, first ? kRound - others : 1u);
        spin_wait(counter, [=](unsigned now) { return ((now ^ old) & kRound) != 0; });
        __threadfence();
    }
    __syncthreads();
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
