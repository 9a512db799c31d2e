// kernels/base/bf16.h - bfloat16 as an element type of storage: the upper half of an f32. Arithmetic is done in f32:
//
//   const float v = to_f32(x[i]);      y[i] = from_f32<T>(v);      for T = float and T = bf16 alike
#pragma once

#include "kernels/base/view.h"

#include <cstring>

namespace bifrons::kernels {

struct bf16 {
    std::uint16_t bits;

    BIFRONS_HD explicit operator float() const
    {
        const std::uint32_t wide = std::uint32_t(bits) << 16;
        float value;
        memcpy(&value, &wide, sizeof value);
        return value;
    }
    BIFRONS_HD explicit operator double() const { return double(float(*this)); }
};

template <>
constexpr DType dtype_of<bf16>()
{
    return DType::bf16;
}

BIFRONS_HD inline float to_f32(float v)
{
    return v;
}

BIFRONS_HD inline float to_f32(bf16 v)
{
    return float(v);
}

/// Rounds to nearest, ties to even; a NaN stays one.
BIFRONS_HD inline bf16 to_bf16(float v)
{
    std::uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    if (v != v) return {std::uint16_t(bits >> 16 | 0x40)};
    return {std::uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}

template <class T>
BIFRONS_HD T from_f32(float v);
template <>
BIFRONS_HD inline float from_f32<float>(float v)
{
    return v;
}
template <>
BIFRONS_HD inline bf16 from_f32<bf16>(float v)
{
    return to_bf16(v);
}

} // namespace bifrons::kernels
