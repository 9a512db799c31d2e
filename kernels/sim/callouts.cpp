#include "kernels/sim/callouts.h"

#include "kernels/sim/executor.h"

namespace bifrons::kernels::sim {

namespace {

constinit thread_local Executor* in_kernel = nullptr; // whose kernel's code has this core

[[maybe_unused]] void access(const volatile void* address, std::size_t bytes, Access access, const void* instruction)
{
    if (in_kernel) in_kernel->kernel_access(const_cast<const void*>(address), bytes, access, instruction);
}

} // namespace

KernelCode::KernelCode()
{
    in_kernel = &Executor::current();
}

KernelCode::~KernelCode()
{
    in_kernel = nullptr;
}

SimulatorCode::SimulatorCode() : interrupted_(in_kernel)
{
    in_kernel = nullptr;
}

SimulatorCode::~SimulatorCode()
{
    in_kernel = interrupted_;
}

} // namespace bifrons::kernels::sim

#if BIFRONS_SIM_CHECK

// What gcc and clang call. The last byte of the call is what returned to; its line is that of the access.
#define BIFRONS_INSTRUCTION (static_cast<const char*>(__builtin_return_address(0)) - 1)
#define BIFRONS_ACCESS(name, bytes, kind)                                                                              \
    void name(void* address)                                                                                           \
    {                                                                                                                  \
        ::bifrons::kernels::sim::access(address, bytes, ::bifrons::kernels::sim::Access::kind, BIFRONS_INSTRUCTION);   \
    }
#define BIFRONS_ACCESSES(bytes)                                                                                        \
    BIFRONS_ACCESS(__tsan_read##bytes, bytes, read)                                                                    \
    BIFRONS_ACCESS(__tsan_write##bytes, bytes, write)                                                                  \
    BIFRONS_ACCESS(__tsan_unaligned_read##bytes, bytes, read)                                                          \
    BIFRONS_ACCESS(__tsan_unaligned_write##bytes, bytes, write)
#define BIFRONS_RANGE(name, kind)                                                                                      \
    void name(void* address, std::size_t bytes)                                                                        \
    {                                                                                                                  \
        ::bifrons::kernels::sim::access(address, bytes, ::bifrons::kernels::sim::Access::kind, BIFRONS_INSTRUCTION);   \
    }

// Atomic operations of C++ stand in the host's code alone (in shared_ptr, or around static variables): done as they
// are.
#define BIFRONS_FETCH(T, bits, operation)                                                                              \
    T __tsan_atomic##bits##_##operation(volatile T* address, T value, int)                                             \
    {                                                                                                                  \
        return __atomic_##operation(address, value, __ATOMIC_SEQ_CST);                                                 \
    }
#define BIFRONS_COMPARE(T, bits, strength, is_weak)                                                                    \
    int __tsan_atomic##bits##_compare_exchange_##strength(volatile T* address, T* expected, T value, int, int)         \
    {                                                                                                                  \
        return __atomic_compare_exchange_n(address, expected, value, is_weak, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);     \
    }
#define BIFRONS_ATOMICS(T, bits)                                                                                       \
    T __tsan_atomic##bits##_load(const volatile T* address, int)                                                       \
    {                                                                                                                  \
        return __atomic_load_n(address, __ATOMIC_SEQ_CST);                                                             \
    }                                                                                                                  \
    void __tsan_atomic##bits##_store(volatile T* address, T value, int)                                                \
    {                                                                                                                  \
        __atomic_store_n(address, value, __ATOMIC_SEQ_CST);                                                            \
    }                                                                                                                  \
    T __tsan_atomic##bits##_exchange(volatile T* address, T value, int)                                                \
    {                                                                                                                  \
        return __atomic_exchange_n(address, value, __ATOMIC_SEQ_CST);                                                  \
    }                                                                                                                  \
    BIFRONS_FETCH(T, bits, fetch_add)                                                                                  \
    BIFRONS_FETCH(T, bits, fetch_sub)                                                                                  \
    BIFRONS_FETCH(T, bits, fetch_and)                                                                                  \
    BIFRONS_FETCH(T, bits, fetch_or)                                                                                   \
    BIFRONS_COMPARE(T, bits, strong, false)                                                                            \
    BIFRONS_COMPARE(T, bits, weak, true)

extern "C" {

BIFRONS_ATOMICS(std::uint8_t, 8)
BIFRONS_ATOMICS(std::uint16_t, 16)
BIFRONS_ATOMICS(std::uint32_t, 32)
BIFRONS_ATOMICS(std::uint64_t, 64)
BIFRONS_ACCESSES(1)
BIFRONS_ACCESSES(2)
BIFRONS_ACCESSES(4)
BIFRONS_ACCESSES(8)
BIFRONS_ACCESSES(16)
BIFRONS_RANGE(__tsan_read_range, read)
BIFRONS_RANGE(__tsan_write_range, write)

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}

} // extern "C"

#endif
