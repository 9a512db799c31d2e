// kernels/device/sim_device.h - the kernels' own CUDA sources on the processor, thread by thread, to test them.
//
// Memory is poisoned (0xFF: NaN in every float type) and lies between redzones, which are looked at after each kernel.
#pragma once

#include "kernels/device/host_device.h"
#include "kernels/sim/executor.h"

#include <map>

namespace bifrons::kernels {

class SimDevice : public HostDevice {
  public:
    explicit SimDevice(sim::Schedule schedule) : schedule_(schedule), executor_(schedule) {}
    /// With the schedule that the environment variable BIFRONS_SIM_SCHEDULE names, else forward.
    SimDevice();
    DeviceKind kind() const override { return DeviceKind::sim; }
    std::string describe() const override;
    void* allocate(std::size_t bytes) override;
    void free(void* data) noexcept override;
    /// Throws Error(bug) for a range that begins in this device's memory and ends outside.
    void copy(Stream stream, void* to, const void* from, std::size_t bytes) override;
    void fill(Stream stream, void* data, std::uint8_t value, std::size_t bytes) override;

    void run(const char* kernel, const Grid& grid, const std::function<void()>& body);

  private:
    void check_range(const char* what, const void* data, std::size_t bytes) const;
    void check_redzones(const char* kernel) const;

    sim::Schedule schedule_;
    sim::Executor executor_;
    std::map<const char*, std::size_t> allocations_; // bytes by address
};

} // namespace bifrons::kernels
