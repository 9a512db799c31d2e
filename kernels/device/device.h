// kernels/device/device.h - where operations run: memory, order, recording, and the execution context they are given.
//
//   cpu   the operations on the processor            sim   the CUDA kernels' own sources, run by the SIMT simulator
//   cuda  the CUDA kernels on an NVIDIA GPU          plan  nothing runs: costs are added up for a stated target
#pragma once

#include "kernels/base/view.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace bifrons::kernels {

enum class DeviceKind { cpu, sim, cuda, plan };

const char* device_kind_name(DeviceKind kind);

/// What a cost is counted for: the device that would run the operation.
struct Target {
    DeviceKind kind = DeviceKind::cpu;
    int sm = 0;      ///< CUDA compute capability (90 for sm_90), 0 elsewhere
    int threads = 1; ///< worker threads of the cpu device
};

/// What one call of an operation does: arithmetic, compulsory memory traffic, and the scratch it needs from its Exec.
struct Cost {
    double flops = 0;
    double bytes = 0;
    std::size_t workspace_bytes = 0;
};

/// An ordered queue of work on a device. A device's default stream is Stream{}.
struct Stream {
    void* handle = nullptr;
};

/// A recorded sequence of operations, to be replayed as one.
class Recording {
  public:
    virtual ~Recording() = default;
};

/// A point in a stream's work.
class Event {
  public:
    virtual ~Event() = default;
};

/// Thread safety: one thread at a time per device.
class Device {
  public:
    virtual ~Device() = default;

    virtual DeviceKind kind() const = 0;
    /// What costs are counted for: itself, except on `plan`.
    virtual Target target() const = 0;
    /// One line for people: name, memory, threads or compute capability.
    virtual std::string describe() const = 0;

    /// 256-byte aligned memory, uninitialised. Throws Error(device) saying what was needed and what is free.
    virtual void* allocate(std::size_t bytes) = 0;
    virtual void free(void* data) noexcept = 0;
    /// Free memory in bytes, as far as the device can tell.
    virtual std::size_t free_bytes() const = 0;
    /// Gives what was freed and kept for the next allocation back, for other users of the device.
    virtual void trim();

    /// Copies between any two of this device's and the host's buffers; enqueued, recorded when recording.
    virtual void copy(Stream stream, void* to, const void* from, std::size_t bytes) = 0;
    /// The same between this device's and the host's memory, and waits. For large blocks: on cuda they go through
    /// pinned memory. Not to be recorded.
    virtual void upload(Stream stream, void* to, const void* from, std::size_t bytes);
    virtual void download(Stream stream, void* to, const void* from, std::size_t bytes);
    /// Sets every byte; enqueued, recorded when recording.
    virtual void fill(Stream stream, void* data, std::uint8_t value, std::size_t bytes) = 0;
    /// Waits until all work of the stream is done.
    virtual void synchronize(Stream stream) = 0;

    virtual Stream create_stream() = 0;
    virtual void destroy_stream(Stream stream) noexcept = 0;
    virtual std::unique_ptr<Event> record_event(Stream stream) = 0;
    virtual void wait_event(Stream stream, const Event& event) = 0;
    /// Milliseconds between two events; waits for the second.
    virtual double elapsed_ms(const Event& begin, const Event& end) = 0;

    /// From here on, work given to the stream is recorded, not run.
    virtual void begin_recording(Stream stream) = 0;
    virtual std::unique_ptr<Recording> end_recording(Stream stream) = 0;
    /// Enqueues everything recorded, in order, with the operands it was recorded with.
    virtual void replay(Stream stream, const Recording& recording) = 0;

    /// Host work in stream order (devices whose operations are host functions: cpu, sim).
    virtual void enqueue(Stream stream, std::function<void()> work);
    /// `plan`: takes note of one operation. Elsewhere a no-op.
    virtual void account(const char* op, const Cost& cost);
    /// Names what is enqueued until the matching pop: layers in a plan, NVTX ranges on cuda. A no-op elsewhere.
    virtual void push_range(const std::string& name);
    virtual void pop_range();
};

/// Scratch memory that an operation may use while it runs. Nothing allocates inside an operation.
struct Workspace {
    void* data = nullptr;
    std::size_t bytes = 0;
};

/// Where an operation runs, in whose order, with what scratch.
struct Exec {
    Device* device = nullptr;
    Stream stream = {};
    Workspace workspace = {};
};
// The same on a device of one kind: what the code for that kind is given. On the cpu it runs at once.
namespace cpu {
struct Exec : kernels::Exec {};
} // namespace cpu
namespace sim {
struct Exec : kernels::Exec {};
} // namespace sim
namespace cuda {
struct Exec : kernels::Exec {};
} // namespace cuda

/// "cpu", "cpu:2" (threads), "sim", "sim:reverse" (schedule), "cuda", "cuda:1", "plan" (for the cpu),
/// "plan:cuda:sm_90", "auto" (see choose_device). Throws Error(usage) for another word and Error(device) for a device
/// that does not exist.
std::unique_ptr<Device> open_device(const std::string& name);

/// What `auto` takes, and why, in one sentence: the first GPU if it is usable, else the cpu.
struct DeviceChoice {
    std::string name;
    std::string why;
};
DeviceChoice choose_device();

} // namespace bifrons::kernels
