// tests/kernels/rng_kernel.h - random numbers drawn by a kernel, to be compared with the host's.
#pragma once

#include "kernels/base/rng.h"
#include "kernels/device/dispatch.h"

namespace bifrons::kernels {

/// What stream i of the test draws, in this order.
struct RngDraws {
    float integer, uniform, normal, truncated, sine;
};

BIFRONS_HD inline RngDraws draws_of_stream(std::int64_t i)
{
    Rng rng(0x123456789ABCDEFull, std::uint64_t(i) << 30, std::uint64_t(i), 5);
    RngDraws d;
    d.integer = float(rng.below(1000));
    d.uniform = rng.uniform(-2, 7);
    d.normal = rng.normal();
    d.truncated = rng.truncated_normal(0.5f);
    d.sine = exact_sincos_of_radians(100 * d.normal).sin;
    return d;
}

BIFRONS_SIMT_DECLARE(void draw_streams(Exec ex, std::int64_t n, View draws);) // draws [n,5], f32

} // namespace bifrons::kernels
