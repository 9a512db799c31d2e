// kernels/ptx/mbarrier.h - barriers in shared memory that count arrivals and the bytes of asynchronous copies.
// PTX ISA: mbarrier.init, arrive, expect_tx, test_wait, try_wait (sm_80; expect_tx sm_90), cp.async.mbarrier.arrive.
//
// A barrier is in phase 0 when it has been initialised. A phase ends when all arrivals and all expected bytes have
// come; the next one begins with the same number of arrivals. One thread initialises, then __syncthreads().
#pragma once

#include "kernels/ptx/shared_address.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

/// SHARED(Mbarrier, name) or a member of the dynamic shared memory.
struct Mbarrier {
    std::uint64_t opaque;
};

} // namespace bifrons::kernels::BIFRONS_SIMT_NS

#if defined(__CUDACC__)
namespace bifrons::kernels::cuda {

/// 1 <= arrivals < 2^20.
inline __device__ void mbarrier_init(Mbarrier& barrier, unsigned arrivals)
{
    asm volatile("mbarrier.init.shared.b64 [%0], %1;" ::"r"(shared_address(&barrier)), "r"(arrivals) : "memory");
}

inline __device__ void mbarrier_arrive(Mbarrier& barrier)
{
    asm volatile("{ .reg .b64 state; mbarrier.arrive.shared.b64 state, [%0]; }" ::"r"(shared_address(&barrier))
                 : "memory");
}

/// The phase does not end before this many more bytes have come (bulk_copy); called by a thread before it arrives.
/// sm_90 and newer; traps on older ones.
inline __device__ void mbarrier_expect_tx(Mbarrier& barrier, unsigned bytes)
{
#if __CUDA_ARCH__ >= 900
    asm volatile("mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%0], %1;" ::"r"(shared_address(&barrier)), "r"(bytes)
                 : "memory");
#else
    __trap();
#endif
}

/// Waits until the latest phase of this parity (0: phases 0, 2, 4, ...) has ended; then what was done before the
/// arrivals is visible.
inline __device__ void mbarrier_wait(Mbarrier& barrier, unsigned parity)
{
    unsigned ended = 0;
    while (!ended)
#if __CUDA_ARCH__ >= 900
        asm volatile("{ .reg .pred p; mbarrier.try_wait.parity.shared.b64 p, [%1], %2; selp.u32 %0, 1, 0, p; }"
#else
        asm volatile("{ .reg .pred p; mbarrier.test_wait.parity.shared.b64 p, [%1], %2; selp.u32 %0, 1, 0, p; }"
#endif
                     : "=r"(ended)
                     : "r"(shared_address(&barrier)), "r"(parity)
                     : "memory");
}

/// Arrives, as one of the arrivals that the barrier was initialised with, when all cp.async that this thread has begun
/// have landed. They need no cp_async_wait, and end no later than a wait for the phase.
inline __device__ void cp_async_mbarrier_arrive(Mbarrier& barrier)
{
    asm volatile("cp.async.mbarrier.arrive.noinc.shared.b64 [%0];" ::"r"(shared_address(&barrier)) : "memory");
}

/// Copies `bytes` (a multiple of 16; both addresses too), without a thread's help, and takes them off what the barrier
/// expects. sm_90 and newer; traps on older ones.
inline __device__ void bulk_copy(void* shared, const void* global, unsigned bytes, Mbarrier& barrier)
{
#if __CUDA_ARCH__ >= 900
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
                     shared_address(shared)),
                 "l"(global), "r"(bytes), "r"(shared_address(&barrier))
                 : "memory");
#else
    __trap();
#endif
}

} // namespace bifrons::kernels::cuda
#else
namespace bifrons::kernels::sim {

inline void mbarrier_init(Mbarrier& barrier, unsigned arrivals, const char* file = __builtin_FILE(),
                          int line = __builtin_LINE())
{
    Executor::current().init_mbarrier(&barrier, arrivals, {"mbarrier_init", file, line});
}

inline void mbarrier_arrive(Mbarrier& barrier, const char* file = __builtin_FILE(), int line = __builtin_LINE())
{
    Executor::current().arrive(&barrier, {"mbarrier_arrive", file, line});
}

inline void mbarrier_expect_tx(Mbarrier& barrier, unsigned bytes, const char* file = __builtin_FILE(),
                               int line = __builtin_LINE())
{
    Executor::current().expect_bytes(&barrier, bytes, {"mbarrier_expect_tx", file, line});
}

inline void mbarrier_wait(Mbarrier& barrier, unsigned parity, const char* file = __builtin_FILE(),
                          int line = __builtin_LINE())
{
    Executor::current().wait_for_phase(&barrier, parity, {"mbarrier_wait", file, line});
}

inline void cp_async_mbarrier_arrive(Mbarrier& barrier, const char* file = __builtin_FILE(),
                                     int line = __builtin_LINE())
{
    Executor::current().arrive_after_copies(&barrier, {"cp_async_mbarrier_arrive", file, line});
}

inline void bulk_copy(void* shared, const void* global, unsigned bytes, Mbarrier& barrier,
                      const char* file = __builtin_FILE(), int line = __builtin_LINE())
{
    Executor::current().begin_bulk_copy(shared, global, bytes, &barrier, {"bulk_copy", file, line});
}

} // namespace bifrons::kernels::sim
#endif
