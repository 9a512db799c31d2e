// kernels/base/rng.h - random numbers without state: each is a function of (seed, step, sample, purpose, draw).
//
//   Rng rng(seed, step, sample, purpose);
//   float u = rng.uniform(), z = rng.normal();       the first draws of that stream; the next calls give the next ones
//
// Philox4x32-10, keyed by the seed, turns the 128-bit counter {draw, sample, step, purpose} into four words. Whatever
// is derived from them has the same bits on every device and in every build (exact_math.h).
//
// Tests   tests/kernels/rng_test.cpp
// Source  Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3" (Philox);
//         Box & Muller 1958 (normals)
#pragma once

#include "kernels/base/exact_math.h"

namespace bifrons::kernels {

/// Four words: a counter, or what became of it.
struct Philox4 {
    std::uint32_t v[4];
};

/// Philox4x32 with ten rounds.
BIFRONS_HD inline Philox4 philox4x32(Philox4 c, std::uint64_t key)
{
    std::uint32_t k0 = std::uint32_t(key), k1 = std::uint32_t(key >> 32);
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = std::uint64_t(0xD2511F53u) * c.v[0], p1 = std::uint64_t(0xCD9E8D57u) * c.v[2];
        c = {{std::uint32_t(p1 >> 32) ^ c.v[1] ^ k0, std::uint32_t(p1), std::uint32_t(p0 >> 32) ^ c.v[3] ^ k1,
              std::uint32_t(p0)}};
        k0 += 0x9E3779B9u; // golden ratio
        k1 += 0xBB67AE85u; // sqrt(3) - 1
    }
    return c;
}

/// One stream of random numbers.
class Rng {
  public:
    /// step < 2^48, sample < 2^32, purpose < 2^16: what lies above is ignored. A stream holds 2^34 words.
    BIFRONS_HD Rng(std::uint64_t seed, std::uint64_t step, std::uint64_t sample, std::uint32_t purpose)
        : seed_(seed), counter_{{0, std::uint32_t(sample), std::uint32_t(step),
                                 (std::uint32_t(step >> 32) & 0xFFFFu) | purpose << 16}}
    {
    }

    /// 32 random bits.
    BIFRONS_HD std::uint32_t bits()
    {
        if (used_ == 4) {
            words_ = philox4x32(counter_, seed_);
            ++counter_.v[0];
            used_ = 0;
        }
        ++used_;
        const std::uint32_t word = words_.v[0]; // not v[used_], which would put the words into a GPU's memory
        words_ = {{words_.v[1], words_.v[2], words_.v[3], 0}};
        return word;
    }
    /// Leaves out n words.
    BIFRONS_HD void skip(std::uint32_t n)
    {
        const std::uint64_t next = 4 * std::uint64_t(counter_.v[0]) + std::uint64_t(used_) + n - 4;
        counter_.v[0] = std::uint32_t(next / 4);
        used_ = 4;
        for (std::uint64_t word = next / 4 * 4; word < next; ++word) bits();
    }
    /// Multiples of 2^-24 in [0, 1).
    BIFRONS_HD float uniform() { return float(bits() >> 8) * 5.9604644775390625e-8f; }
    /// low .. high
    BIFRONS_HD float uniform(float low, float high) { return std::fma(uniform(), high - low, low); }
    /// 0 .. n-1, for 1 <= n < 2^32; a value's probability is off by less than 2^-32.
    BIFRONS_HD std::int64_t below(std::int64_t n)
    {
        return std::int64_t(std::uint64_t(bits()) * std::uint64_t(n) >> 32);
    }
    /// Mean 0, variance 1, at most 6.77 in magnitude; uses two words. To shift or scale it with equal bits: std::fma.
    BIFRONS_HD float normal()
    {
        const float u = std::fma(float(bits()), 2.3283064365386963e-10f, 1.1641532182693481e-10f); // in (0, 1]
        return std::sqrt(-2 * exact_log(u)) * exact_sincos(bits()).cos;
    }
    /// A normal drawn again until its magnitude is at most `limit`.
    BIFRONS_HD float truncated_normal(float limit)
    {
        float z = normal();
        while (!(std::fabs(z) <= limit)) z = normal();
        return z;
    }

  private:
    std::uint64_t seed_;
    Philox4 counter_, words_ = {};
    int used_ = 4;
};

} // namespace bifrons::kernels
