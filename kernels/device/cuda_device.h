// kernels/device/cuda_device.h - an NVIDIA GPU. Without CUDA's headers, so that any file may include it.
#pragma once

#include "kernels/device/device.h"
#include "kernels/device/grid.h"

namespace bifrons::kernels {

/// One clear sentence saying why GPU number `index` cannot be used here; empty if it can.
std::string cuda_unusable_reason(int index);

/// Throws Error(device) with that sentence. Memory comes from a pool of the driver's; work goes to a stream of its own;
/// recordings are CUDA graphs. Memory that another stream used is freed after that stream was waited for.
std::unique_ptr<Device> open_cuda_device(int index);

// For launch.h:
/// Makes ex's GPU the current one.
void select_cuda_device(const kernels::Exec& ex);
/// Whether this program's code for ex's GPU waits for the kernel before (ptx/fence.h). It is the code that counts: a
/// newer GPU can run code made for sm_80, which does not.
bool kernels_overlap(const kernels::Exec& ex);
/// Also opens a range for profilers, and returns ex's stream (a cudaStream_t).
void* prepare_cuda_launch(const kernels::Exec& ex, const char* name);
/// Closes the range. Throws Error(device) naming the kernel and its configuration unless status (a cudaError_t) is
/// success.
void finish_cuda_launch(const kernels::Exec& ex, const char* name, const Grid& grid, int status);

} // namespace bifrons::kernels
