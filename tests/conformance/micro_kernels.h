// tests/conformance/micro_kernels.h - one small kernel for each wrapper of kernels/ptx/ and each group of CUDA's words
// that the simulator has: from fixed input words to output words, which are to be the same on a GPU and in simulation.
//
// What a GPU has put out is recorded by conform.cpp; kernels/conformance_test.cpp compares the simulator with it.
#pragma once

#include "kernels/device/dispatch.h"

#include <cstdint>
#include <string>
#include <vector>

namespace bifrons::test {

using Words = std::vector<std::uint32_t>;

struct MicroKernel {
    const char* name; ///< the wrapper's
    int sm;           ///< the oldest GPU that has the instruction
    int words;        ///< of output
    void (*start)(const kernels::Exec& ex, const std::uint32_t* in, std::uint32_t* out);
};

/// Input words of every micro-kernel: all bits are random, and the same everywhere.
constexpr int kInputWords = 1024;
Words input_words();

/// Runs it on the device; the output is 0 before.
Words run(kernels::Device& device, const MicroKernel& kernel, const Words& in);

/// Where the outputs of a GPU are kept, tests/golden/ptx_NAME.json.
std::string golden_path(const std::string& folder, const MicroKernel& kernel);

} // namespace bifrons::test

namespace bifrons::kernels {

BIFRONS_SIMT_DECLARE(const std::vector<test::MicroKernel>& micro_kernels();)

} // namespace bifrons::kernels
