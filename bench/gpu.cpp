#include "bench/gpu.h"

#include <dlfcn.h>

namespace bifrons::bench {

namespace {

// From NVML's documentation; its header is not a part of every toolkit.
constexpr int kSuccess = 0;
constexpr unsigned kClockSm = 1, kClockMemory = 2, kTemperatureOfGpu = 0, kMilliwatts = 1000;

/// Calls a function of the library; false if it does not exist or fails.
template <class... Arguments>
bool call(void* library, const char* name, Arguments... arguments)
{
    void* const symbol = library ? dlsym(library, name) : nullptr;
    return symbol && reinterpret_cast<int (*)(Arguments...)>(symbol)(arguments...) == kSuccess;
}

} // namespace

GpuMonitor::GpuMonitor(const std::string& pci_address) : library_(dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL))
{
    const bool found =
        call(library_, "nvmlInit_v2") && call(library_, "nvmlDeviceGetHandleByPciBusId_v2", pci_address.c_str(), &gpu_);
    if (!found) gpu_ = nullptr;
}

std::string GpuMonitor::driver() const
{
    char text[96] = "";
    return call(library_, "nvmlSystemGetDriverVersion", &text[0], unsigned(sizeof text)) ? text : "";
}

GpuState GpuMonitor::now() const
{
    unsigned sm = 0, memory = 0, milliwatts = 0, celsius = 0;
    if (!gpu_) return {};
    call(library_, "nvmlDeviceGetClockInfo", gpu_, kClockSm, &sm);
    call(library_, "nvmlDeviceGetClockInfo", gpu_, kClockMemory, &memory);
    call(library_, "nvmlDeviceGetPowerUsage", gpu_, &milliwatts);
    call(library_, "nvmlDeviceGetTemperature", gpu_, kTemperatureOfGpu, &celsius);
    return {int(sm), int(memory), int(milliwatts / kMilliwatts), int(celsius)};
}

} // namespace bifrons::bench
