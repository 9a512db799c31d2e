// kernels/device/dispatch.h - an operation is one value, and how it reaches the code of its device.
//
//   struct MseGrad {
//       static constexpr const char* kName = "mse_grad";
//       MseShape s;                          // the operands
//       ConstView a, b, mask;
//       ...
//       void check(Target target) const;     // throws unless the device can compute this
//       Cost cost(Target target) const;      // what it does there, and the workspace that it needs
//   };
//   BIFRONS_OPERATION(MseGrad)               // its code: cpu::run(Exec, op), sim::run(Exec, op), cuda::run(Exec, op)
//
//   run(ex, MseGrad{.s = s, .a = a, ...});
//
// An operation that consists of others, or that has several kernels to choose from, enqueues them itself: it has a
// member `void dispatch(Exec ex) const`.
#pragma once

#include "kernels/device/device.h"

#include <concepts>

namespace bifrons::kernels {

/// Declares functions of the kernels' sources, which are compiled in both namespaces.
#define BIFRONS_SIMT_DECLARE(...)                                                                                      \
    namespace sim {                                                                                                    \
    __VA_ARGS__                                                                                                        \
    }                                                                                                                  \
    namespace cuda {                                                                                                   \
    __VA_ARGS__                                                                                                        \
    }

/// Declares the code of an operation: on the cpu, run in the order of the stream; in <op>.cu, what launches its
/// kernels.
#define BIFRONS_OPERATION(Op)                                                                                          \
    namespace cpu {                                                                                                    \
    void run(Exec ex, const Op& op);                                                                                   \
    }                                                                                                                  \
    BIFRONS_SIMT_DECLARE(void run(Exec ex, const Op& op);)

/// Size of one part of a workspace, rounded up so that the part behind it is aligned like the first.
constexpr std::size_t aligned(std::size_t bytes)
{
    return (bytes + 255) / 256 * 256;
}

/// The same Exec without the first `bytes` of its workspace.
template <class E>
E behind(E ex, std::size_t bytes)
{
    ex.workspace = {static_cast<char*>(ex.workspace.data) + bytes, ex.workspace.bytes - bytes};
    return ex;
}

inline bool on_cpu(const Exec& ex)
{
    return ex.device->kind() == DeviceKind::cpu;
}

/// Throws Error(shape) unless the device computes with such elements: f32 and bf16 anywhere, f64 on a cpu.
void check_elements(Target target, const char* op, DType dtype);

/// An operation without a kernel for this device.
[[noreturn]] void throw_no_kernel(const Exec& ex, const char* op);

/// Calls f with the sim::Exec or cuda::Exec that ex is; throws where neither is built.
template <class F>
void on_gpu(const Exec& ex, const char* op, [[maybe_unused]] const F& f)
{
    switch (ex.device->kind()) {
#if BIFRONS_HAS_SIM
    case DeviceKind::sim:
        return f(sim::Exec{ex});
#endif
#if BIFRONS_HAS_CUDA
    case DeviceKind::cuda:
        return f(cuda::Exec{ex});
#endif
    default:
        throw_no_kernel(ex, op);
    }
}

/// Hands the operation to its code for the device.
template <class Op>
void dispatch(const Exec& ex, const Op& op)
{
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { run(cpu::Exec{ex}, op); });
    on_gpu(ex, Op::kName, [&](const auto& gpu) { run(gpu, op); });
}

/// Enqueues an operation on ex.stream: checks it, sees that the workspace suffices, and dispatches. `plan` takes note
/// of the cost instead. Throws what Op::check throws.
template <std::same_as<Exec> E, class Op>
void run(const E& ex, const Op& op)
{
    const Target target = ex.device->target();
    op.check(target);
    const Cost cost = op.cost(target);
    if (ex.device->kind() == DeviceKind::plan) return ex.device->account(Op::kName, cost);
    BIFRONS_CHECK(bug, ex.workspace.bytes >= cost.workspace_bytes, Op::kName, ": ", cost.workspace_bytes,
                  " bytes of workspace needed, ", ex.workspace.bytes, " given");
    if constexpr (requires { op.dispatch(ex); })
        op.dispatch(ex);
    else
        dispatch(ex, op);
}

} // namespace bifrons::kernels
