// kernels/sim/vectors.h - CUDA's vector types, as far as kernels use them: 8 or 16 bytes that move at once.
#pragma once

namespace bifrons::kernels::sim {

template <class T>
struct alignas(2 * sizeof(T)) Vector2 {
    T x, y;
};

template <class T>
struct alignas(4 * sizeof(T)) Vector4 {
    T x, y, z, w;
};

using float2 = Vector2<float>;
using float4 = Vector4<float>;
using int2 = Vector2<int>;
using int4 = Vector4<int>;
using uint2 = Vector2<unsigned>;
using uint4 = Vector4<unsigned>;

constexpr float2 make_float2(float x, float y)
{
    return {x, y};
}
constexpr float4 make_float4(float x, float y, float z, float w)
{
    return {x, y, z, w};
}
constexpr int2 make_int2(int x, int y)
{
    return {x, y};
}
constexpr int4 make_int4(int x, int y, int z, int w)
{
    return {x, y, z, w};
}
constexpr uint2 make_uint2(unsigned x, unsigned y)
{
    return {x, y};
}
constexpr uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w)
{
    return {x, y, z, w};
}

} // namespace bifrons::kernels::sim
