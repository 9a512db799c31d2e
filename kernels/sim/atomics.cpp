#include "kernels/sim/atomics.h"

#include "kernels/sim/executor.h"

#include <algorithm>

namespace bifrons::kernels::sim {

namespace {

/// Replaces the old value by update(old value).
template <class T, class Update>
T replace(T* address, const char* operation, const char* file, int line, const Update& update)
{
    Executor& executor = Executor::current();
    const Site site = {operation, file, line};
    executor.check_aligned(address, sizeof(T), site);
    executor.note_access(address, sizeof(T), Access::atomic, site);
    T old = __atomic_load_n(address, __ATOMIC_RELAXED), value = update(old);
    while (!__atomic_compare_exchange_n(address, &old, value, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        value = update(old);
    return old;
}

} // namespace

template <class T>
T atomicAdd(T* address, std::type_identity_t<T> value, const char* file, int line)
{
    using Unsigned = std::make_unsigned_t<T>; // whose overflow is defined
    return replace(address, "atomicAdd", file, line, [=](T old) { return T(Unsigned(old) + Unsigned(value)); });
}

template <class T>
T atomicMin(T* address, std::type_identity_t<T> value, const char* file, int line)
{
    return replace(address, "atomicMin", file, line, [=](T old) { return std::min(old, value); });
}

template <class T>
T atomicMax(T* address, std::type_identity_t<T> value, const char* file, int line)
{
    return replace(address, "atomicMax", file, line, [=](T old) { return std::max(old, value); });
}

template <class T>
T atomicAnd(T* address, std::type_identity_t<T> value, const char* file, int line)
{
    return replace(address, "atomicAnd", file, line, [=](T old) { return old & value; });
}

template <class T>
T atomicOr(T* address, std::type_identity_t<T> value, const char* file, int line)
{
    return replace(address, "atomicOr", file, line, [=](T old) { return old | value; });
}

template <class T>
T atomicExch(T* address, std::type_identity_t<T> value, const char* file, int line)
{
    return replace(address, "atomicExch", file, line, [=](T) { return value; });
}

template <class T>
T atomicCAS(T* address, std::type_identity_t<T> expected, std::type_identity_t<T> value, const char* file, int line)
{
    return replace(address, "atomicCAS", file, line, [=](T old) { return old == expected ? value : old; });
}

#define BIFRONS_INSTANTIATE(T)                                                                                         \
    template T atomicAdd(T*, T, const char*, int);                                                                     \
    template T atomicMin(T*, T, const char*, int);                                                                     \
    template T atomicMax(T*, T, const char*, int);                                                                     \
    template T atomicAnd(T*, T, const char*, int);                                                                     \
    template T atomicOr(T*, T, const char*, int);                                                                      \
    template T atomicExch(T*, T, const char*, int);                                                                    \
    template T atomicCAS(T*, T, T, const char*, int);
BIFRONS_INSTANTIATE(int)
BIFRONS_INSTANTIATE(unsigned)
BIFRONS_INSTANTIATE(unsigned long long)

void __threadfence()
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    Executor::current().note_fence();
}

void __threadfence_block()
{
    __threadfence();
}

} // namespace bifrons::kernels::sim
