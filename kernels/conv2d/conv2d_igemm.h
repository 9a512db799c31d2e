// kernels/conv2d/conv2d_igemm.h - methods `igemm_mma` and `tiled` of the convolution: matrix products whose operands
// are gathered from the pictures on their way into shared memory (implicit GEMM).
//
//   pass    rows            columns     sum over
//   fwd     n,p,q           k           r,s,c
//   dgrad   n,h,v           c           r,s,k      with a stride: for each class of h and v modulo it, the taps that
//                                                  reach the class, so that no product is wasted
//   wgrad   k               r,s,c       n,p,q
//
// igemm_mma   by tensor cores (sm_80 and newer): bf16 products; of f32 operands, both factors rounded to tf32
// tiled       f32 products of f32 operands, each thread its own
// Sums in f32.
// Kernels  conv2d_igemm_{fwd,dgrad,wgrad}.cu, igemm.cuh (main loop), igemm_operands.cuh     Choice  conv2d_tuning.h
// Tests  tests/kernels/conv2d_igemm_test.cpp
#pragma once

#include "kernels/conv2d/conv2d_tuning.h"

namespace bifrons::kernels {

/// As the operations of conv2d.h, with the plan given. Needs igemm_workspace, and operands that begin at multiples of
/// 16 bytes. Where y is f32 and x and w are bf16, tile `tall` or `medium` is taken instead of another.
BIFRONS_SIMT_DECLARE(void run_igemm(Exec ex, const Conv2dFwd& op, const IgemmPlan& plan);
                     void run_igemm(Exec ex, const Conv2dDgrad& op, const IgemmPlan& plan);
                     void run_igemm(Exec ex, const Conv2dWgrad& op, const IgemmPlan& plan);)

} // namespace bifrons::kernels
