// kernels/sim/atomics.h - CUDA's atomic operations and fences. On whole numbers only: sums of floats by atomics depend
// on the order.
#pragma once

#include <type_traits>

namespace bifrons::kernels::sim {

/// Where they stand in the kernel, as in every wrapper.
#define BIFRONS_SIM_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

// Each returns what was there before. T is int, unsigned or unsigned long long.
template <class T>
T atomicAdd(T* address, std::type_identity_t<T> value, BIFRONS_SIM_SITE);
template <class T>
T atomicMin(T* address, std::type_identity_t<T> value, BIFRONS_SIM_SITE);
template <class T>
T atomicMax(T* address, std::type_identity_t<T> value, BIFRONS_SIM_SITE);
template <class T>
T atomicAnd(T* address, std::type_identity_t<T> value, BIFRONS_SIM_SITE);
template <class T>
T atomicOr(T* address, std::type_identity_t<T> value, BIFRONS_SIM_SITE);
template <class T>
T atomicExch(T* address, std::type_identity_t<T> value, BIFRONS_SIM_SITE);
/// Writes `value` if `expected` is there.
template <class T>
T atomicCAS(T* address, std::type_identity_t<T> expected, std::type_identity_t<T> value, BIFRONS_SIM_SITE);

void __threadfence();
void __threadfence_block();

#undef BIFRONS_SIM_SITE

} // namespace bifrons::kernels::sim
