// tests/emulator/imagined_gpu.h - which GPU the emulator plays: a good one, or by the environment variable
// BIFRONS_EMULATED_GPU="name=value,..." one that a user has trouble with.
#pragma once

#include "tests/emulator/device_memory.h"

#include <string>

#include <cuda_runtime_api.h>

namespace bifrons::emulator {

struct ImaginedGpu {
    int driver = CUDART_VERSION;               ///< driver=0: none; driver=12080: CUDA that the driver supports
    int gpus = 1;                              ///< gpus=0
    int sm = 0;                                ///< sm=75; 0: what the program's PTX was made for
    bool pools = true;                         ///< pools=0: without memory pools
    bool code = true;                          ///< code=0: the program has none for it
    std::size_t memory = DeviceMemory::kBytes; ///< memory=1000: bytes in all
    std::string faulty_kernel;                 ///< fault=NAME:N: the Nth launch of a kernel with NAME in its name fails
    int faulty_launch = 0;
};

/// Throws std::runtime_error for names it does not know.
ImaginedGpu read_imagined_gpu();

} // namespace bifrons::emulator
