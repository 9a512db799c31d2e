// kernels/device/dispatch.h - how an operation reaches the code of its device. Used by <op>.cpp files only:
//
//   void conv2d_fwd(Exec ex, const Conv2dShape& s, ConstView x, ConstView w, View y, const Epilogue& e)
//   {
//       check(...);
//       if (accounted(ex, "conv2d_fwd", conv2d_fwd_cost(s, ex.device->target()))) return;     // plan stops here
//       if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::conv2d_fwd(s, x, w, y, e, ex.workspace); });
//       BIFRONS_SIMT(ex, "conv2d_fwd", conv2d_fwd(ex, s, x, w, y, e));                        // sim:: or cuda::
//   }
#pragma once

#include "kernels/device/device.h"

namespace bifrons::kernels {

inline bool on_cpu(const Exec& ex)
{
    return ex.device->kind() == DeviceKind::cpu;
}

/// Reports the cost to `plan` and says so; on a real device makes sure that the workspace suffices.
inline bool accounted(const Exec& ex, const char* op, const Cost& cost)
{
    if (ex.device->kind() == DeviceKind::plan) {
        ex.device->account(op, cost);
        return true;
    }
    BIFRONS_CHECK(bug, ex.workspace.bytes >= cost.workspace_bytes, op, ": ", cost.workspace_bytes,
                  " bytes of workspace needed, ", ex.workspace.bytes, " given");
    return false;
}

/// Size of one part of a workspace, rounded up so that the part behind it is aligned like the first.
constexpr std::size_t aligned(std::size_t bytes)
{
    return (bytes + 255) / 256 * 256;
}

/// The same Exec without the first `bytes` of its workspace.
inline Exec behind(Exec ex, std::size_t bytes)
{
    ex.workspace = {static_cast<char*>(ex.workspace.data) + bytes, ex.workspace.bytes - bytes};
    return ex;
}

/// Throws Error(shape) unless the device computes with such elements: f32 and bf16 anywhere, f64 on a cpu.
void check_elements(const Exec& ex, const char* op, DType dtype);

/// An operation without a kernel for this device.
[[noreturn]] void throw_no_kernel(const Exec& ex, const char* op);

} // namespace bifrons::kernels

// A side that is not built is named in a discarded statement: its arguments count as used, its entries need not exist.
#if BIFRONS_HAS_SIM
#define BIFRONS_SIMT_SIM(call) return sim::call
#else
#define BIFRONS_SIMT_SIM(call)                                                                                         \
    if constexpr (false) return sim::call
#endif
#if BIFRONS_HAS_CUDA
#define BIFRONS_SIMT_CUDA(call) return cuda::call
#else
#define BIFRONS_SIMT_CUDA(call)                                                                                        \
    if constexpr (false) return cuda::call
#endif

/// Calls sim::call or cuda::call, whichever the Exec's device is, and returns; throws where neither is built.
#define BIFRONS_SIMT(ex, op, call)                                                                                     \
    do {                                                                                                               \
        if ((ex).device->kind() == DeviceKind::sim) {                                                                  \
            BIFRONS_SIMT_SIM(call);                                                                                    \
        }                                                                                                              \
        if ((ex).device->kind() == DeviceKind::cuda) {                                                                 \
            BIFRONS_SIMT_CUDA(call);                                                                                   \
        }                                                                                                              \
        throw_no_kernel(ex, op);                                                                                       \
    } while (0)
