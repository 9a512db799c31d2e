// kernels/device/roofline.h - the least time that an operation can take on a GPU: all its arithmetic at the highest
// rate, or all its compulsory traffic at the highest bandwidth, whichever is longer.
//
//   floor = max(flops / rate, bytes / bandwidth)
//
// No time is below it unless operands are still in a cache. Source: Williams, Waterman, Patterson 2009, CACM 52(4):65.
#pragma once

#include "kernels/device/device.h"

namespace bifrons::kernels {

/// What multiplies: the tensor cores on bf16 or tf32 operands, summing in f32, or ordinary f32 multiply-adds.
enum class Arithmetic { bf16, tf32, f32 };

/// What one GPU can do, dense, in FLOP/s and bytes/s.
struct Ceilings {
    const char* gpu; ///< words of the name that the driver gives
    int sm;
    double bf16, tf32, f32, bandwidth;
    const char* origin; ///< measured, or from the maker's sheet

    double rate(Arithmetic a) const { return a == Arithmetic::bf16 ? bf16 : a == Arithmetic::tf32 ? tf32 : f32; }
};

/// The ceilings of a GPU by whole words of its name; null for one that is not in the table, as most laptops' are.
const Ceilings* ceilings_of(const std::string& gpu);
/// Those of the table's first GPU with the target's compute capability; null if it has none.
const Ceilings* ceilings_of(Target target);

/// Convolutions and matrix products may use the tensor cores; everything else multiplies in f32.
Arithmetic arithmetic_of(const std::string& op, Arithmetic of_products);

double floor_seconds(const Cost& cost, const Ceilings& ceilings, Arithmetic arithmetic);

} // namespace bifrons::kernels
