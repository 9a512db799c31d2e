// kernels/base/host_storage.h - the element types of the cpu device, for <op>_cpu.cpp files. bf16 is a type of storage
// alone: Wide<T>(x[i]) is what a loop computes with, stored<T>(v) what it writes.
#pragma once

#include "kernels/base/bf16.h"

#include <type_traits>

namespace bifrons::kernels::cpu {

/// In which values stored as T are computed.
template <class T>
using Wide = std::conditional_t<std::is_same_v<T, bf16>, float, T>;

/// v as an element of storage, rounded once where that is bf16.
template <class T>
T stored(Wide<T> v)
{
    if constexpr (std::is_same_v<T, bf16>)
        return to_bf16(v);
    else
        return v;
}

} // namespace bifrons::kernels::cpu
