// kernels/ptx/cp_async.h - asynchronous copies from global to shared memory.
// PTX ISA: cp.async, cp.async.commit_group, cp.async.wait_group (sm_80).
//
// A thread begins copies, closes a group with commit, and waits until at most N of its groups are under way; the data
// is then visible to this thread, and to others after the next barrier. All must be waited for before the thread ends.
#pragma once

#include "kernels/ptx/shared_address.h"

#if defined(__CUDACC__)
namespace bifrons::kernels::cuda {

/// Copies Bytes (4, 8 or 16; both addresses aligned to them); writes zeros, and reads nothing, where !valid.
template <int Bytes>
__device__ void cp_async(void* shared, const void* global, bool valid)
{
    static_assert(Bytes == 4 || Bytes == 8 || Bytes == 16);
    const unsigned to = shared_address(shared), bytes_read = valid ? Bytes : 0;
    if constexpr (Bytes == 16) // past L1
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(global), "r"(bytes_read)
                     : "memory");
    else
        asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(to), "l"(global), "n"(Bytes), "r"(bytes_read)
                     : "memory");
}

inline __device__ void cp_async_commit()
{
    asm volatile("cp.async.commit_group;" ::: "memory");
}

/// Until at most N groups, the latest ones, are under way.
template <int N>
__device__ void cp_async_wait()
{
    asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
}

} // namespace bifrons::kernels::cuda
#else
namespace bifrons::kernels::sim {

template <int Bytes>
void cp_async(void* shared, const void* global, bool valid, const char* file = __builtin_FILE(),
              int line = __builtin_LINE())
{
    static_assert(Bytes == 4 || Bytes == 8 || Bytes == 16);
    Executor::current().begin_copy(shared, global, Bytes, valid, {"cp_async", file, line});
}

inline void cp_async_commit()
{
    Executor::current().commit_copies();
}

template <int N>
void cp_async_wait()
{
    Executor::current().wait_for_copies(N);
}

} // namespace bifrons::kernels::sim
#endif
