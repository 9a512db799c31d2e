// tests/emulator/touch_memory.h - launches a kernel that writes one byte, for runtime_test.cpp.
#pragma once

#include <cstddef>

#include <driver_types.h>

namespace bifrons::emulator {

constexpr unsigned char kTouched = 42;

struct Touch {
    cudaStream_t stream = nullptr;
    unsigned threads = 1, blocks_y = 1;
    std::size_t dynamic_shared = 0;
    unsigned cooperative_blocks = 0; ///< 0: an ordinary launch
};

/// *address = kTouched by the first thread. What the launch answers.
cudaError_t touch_memory(void* address, const Touch& touch);

} // namespace bifrons::emulator
