// engine/precision.h - in which types the products of a network are formed. Sums are f32 in each of them; so are master
// weights, their gradients and moments, losses, and pictures.
//
//   f32    everything f32                                                              every device
//   tf32   stored f32; products of 11-bit mantissas on the tensor cores                 cuda, sim
//   bf16   activations, their gradients and a copy of the weights stored as bf16        every device
#pragma once

#include <cstdint>

namespace bifrons {

enum class Precision : std::uint8_t { f32, tf32, bf16 };

constexpr const char* precision_name(Precision p)
{
    return p == Precision::bf16 ? "bf16" : p == Precision::tf32 ? "tf32" : "f32";
}

} // namespace bifrons
