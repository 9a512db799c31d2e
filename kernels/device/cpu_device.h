// kernels/device/cpu_device.h - the processor: host memory, worker threads by OpenMP.
#pragma once

#include "kernels/device/host_device.h"

namespace bifrons::kernels {

class CpuDevice : public HostDevice {
  public:
    /// threads 0: as many as the process may use. Throws Error(device) where they cannot be started.
    explicit CpuDevice(int threads = 0);
    DeviceKind kind() const override { return DeviceKind::cpu; }
    Target target() const override { return {.kind = DeviceKind::cpu, .threads = threads_}; }
    std::string describe() const override;
    /// OpenMP's loops in `work` take this device's threads, whatever other devices there are.
    void enqueue(Stream stream, std::function<void()> work) override;
    int threads() const { return threads_; }
    /// The trainer tries several and keeps the fastest. Results depend on the count only where an operation says so.
    void set_threads(int threads);
    static int usable_threads();

  private:
    int threads_ = 1;
};

} // namespace bifrons::kernels
