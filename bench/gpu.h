// bench/gpu.h - what a GPU's result is worth nothing without: driver, clocks, power, temperature. Read through the
// driver's own library (NVML), which is there wherever a driver is; nothing is set.
#pragma once

#include <string>

namespace bifrons::bench {

struct GpuState {
    int sm_mhz = 0, memory_mhz = 0, watts = 0, celsius = 0; ///< 0: not known
};

/// Of the GPU with this PCI address ("0000:17:00.0").
class GpuMonitor {
  public:
    explicit GpuMonitor(const std::string& pci_address);
    /// "580.159.03"; empty without NVML.
    std::string driver() const;
    GpuState now() const;

  private:
    void* library_ = nullptr;
    void* gpu_ = nullptr;
};

} // namespace bifrons::bench
