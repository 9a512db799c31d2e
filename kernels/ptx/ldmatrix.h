// kernels/ptx/ldmatrix.h - 8x8 matrices of 16-bit elements between shared memory and the registers of a warp.
// PTX ISA: warp level matrix instructions ldmatrix (sm_75) and stmatrix (sm_90).
//
// Lane 8m + i names row i of matrix m: 16 bytes, 16-byte aligned.
// Register m of lane l holds row l / 4, columns l % 4 * 2 (low half) and + 1 of matrix m; with _trans row and column
// change places. All 32 lanes take part.
#pragma once

#include "kernels/ptx/shared_address.h"

#if defined(__CUDACC__)
namespace bifrons::kernels::cuda {

inline __device__ void ldmatrix_x4(std::uint32_t (&r)[4], const void* row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(row))
                 : "memory");
}

inline __device__ void ldmatrix_x4_trans(std::uint32_t (&r)[4], const void* row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(row))
                 : "memory");
}

/// sm_90 and newer; traps on older ones.
inline __device__ void stmatrix_x4(void* row, const std::uint32_t (&r)[4])
{
#if __CUDA_ARCH__ >= 900
    asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(shared_address(row)),
                 "r"(r[0]), "r"(r[1]), "r"(r[2]), "r"(r[3])
                 : "memory");
#else
    __trap();
#endif
}

} // namespace bifrons::kernels::cuda
#else
namespace bifrons::kernels::sim {

void ldmatrix_x4(std::uint32_t (&r)[4], const void* row, const char* file = __builtin_FILE(),
                 int line = __builtin_LINE());
void ldmatrix_x4_trans(std::uint32_t (&r)[4], const void* row, const char* file = __builtin_FILE(),
                       int line = __builtin_LINE());
void stmatrix_x4(void* row, const std::uint32_t (&r)[4], const char* file = __builtin_FILE(),
                 int line = __builtin_LINE());

} // namespace bifrons::kernels::sim
#endif
