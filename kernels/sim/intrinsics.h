// kernels/sim/intrinsics.h - CUDA's functions on bits, as far as kernels use them.
#pragma once

#include <bit>
#include <cstdint>

namespace bifrons::kernels::sim {

inline int __popc(unsigned x)
{
    return std::popcount(x);
}

/// Zeros above the highest one; 32 for 0.
inline int __clz(int x)
{
    return std::countl_zero(unsigned(x));
}

/// The position of the lowest one, counted from 1; 0 for 0.
inline int __ffs(int x)
{
    return x == 0 ? 0 : std::countr_zero(unsigned(x)) + 1;
}

inline unsigned __float_as_uint(float x)
{
    return std::bit_cast<unsigned>(x);
}

inline float __uint_as_float(unsigned x)
{
    return std::bit_cast<float>(x);
}

inline int __float_as_int(float x)
{
    return std::bit_cast<int>(x);
}

inline float __int_as_float(int x)
{
    return std::bit_cast<float>(x);
}

} // namespace bifrons::kernels::sim
