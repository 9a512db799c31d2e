// tests/emulator/matrix.h - a tensor core's product of small matrices, in the order and rounding that is known of it.
#pragma once

#include <cstdint>

namespace bifrons::emulator {

/// c + sum of a[k] * b[k]: the exact products and c are aligned to the largest of them, cut off below 24 + 2 bits of
/// it, added, and the sum is cut off to f32. What Fasi, Higham, Mikaitis, Pranesh ("Numerical behavior of NVIDIA tensor
/// cores", PeerJ CS 2021) found of the A100, with the fewest bits they saw beyond 24 on a GPU of sm_80 or newer.
float tensor_core_sum(float c, const float* a, const float* b, int count);

} // namespace bifrons::emulator
