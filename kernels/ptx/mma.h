// kernels/ptx/mma.h - products of small matrices by a warp: d += a * b, d 16 x 8 in f32.
// PTX ISA: matrix fragments for mma.m16n8k16 with bf16 and mma.m16n8k8 with tf32 (sm_80).
//
// With g = lane / 4 and t = lane % 4:
//   d[i]                  row g + 8 (i / 2),      column 2t + i % 2
//   bf16  a[i], halves h  row g + 8 (i % 2),      column 2t + 8 (i / 2) + h       h = 0 is the low half
//         b[i], halves h  row 2t + 8i + h,        column g
//   tf32  a[i]            row g + 8 (i % 2),      column t + 4 (i / 2)
//         b[i]            row t + 4i,             column g
// Products are exact; the GPU sums groups of them in an order and with a rounding of its own (sums of whole numbers
// below 2^24 are exact anywhere), the simulation in rising order of k in f32. All 32 lanes take part.
#pragma once

#include "kernels/device/simt.h"

#if defined(__CUDACC__)
namespace bifrons::kernels::cuda {

inline __device__ void mma_bf16(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2])
{
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
                 "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

inline __device__ void mma_tf32(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2])
{
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
                 "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/// Rounds to 10 bits of mantissa, ties away from zero. What mma_tf32 takes.
inline __device__ std::uint32_t to_tf32(float x)
{
    std::uint32_t bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
    return bits;
}

} // namespace bifrons::kernels::cuda
#else
namespace bifrons::kernels::sim {

void mma_bf16(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
              const char* file = __builtin_FILE(), int line = __builtin_LINE());
/// Stricter than the GPU, which drops the bits below tf32 without a word: they must be zero.
void mma_tf32(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
              const char* file = __builtin_FILE(), int line = __builtin_LINE());
std::uint32_t to_tf32(float x);

} // namespace bifrons::kernels::sim
#endif
