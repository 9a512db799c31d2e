// kernels/base/clones.h - hot loops of the cpu device, compiled for wider registers too.
#pragma once

/// Before a plain function (no lambda): the program is built for any x86-64, and the compiler makes copies of this
/// function for AVX-512 and for AVX2 with fma, of which the processor's own is chosen when the program starts. All give
/// the same bits, as contraction is off (kernels/CMakeLists.txt) and sums have a fixed number of lanes.
///
/// x86-64-v3 and not arch=haswell, which chooses by the processor's name: no AMD processor has that one.
///
/// Empty where there is no such choice: other compilers than GCC, other processors, and under the thread sanitizer,
/// which is not ready yet when the choice is made.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define BIFRONS_CLONES __attribute__((target_clones("avx512f", "arch=x86-64-v3", "default")))
#else
#define BIFRONS_CLONES
#endif
