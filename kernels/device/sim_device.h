// kernels/device/sim_device.h - the kernels' own CUDA sources on the processor, thread by thread, to test them.
//
// Memory is poisoned (0xFF: NaN in every float type) and lies between redzones, which are looked at after each kernel.
// BIFRONS_SIM_FAULT=judge_step:4 in the environment: the fourth launch of that kernel, and all after it, fail as after
// a fault on a GPU.
#pragma once

#include "kernels/device/host_device.h"
#include "kernels/sim/executor.h"

namespace bifrons::kernels {

class SimDevice : public HostDevice {
  public:
    /// The blocks of a launch are spread over the workers. One is used where accesses are checked or counted.
    explicit SimDevice(sim::Schedule schedule, int workers = workers_of_environment());
    ~SimDevice() override;
    /// What the environment variable BIFRONS_SIM_WORKERS says, else 1.
    static int workers_of_environment();
    /// With the schedule that the environment variable BIFRONS_SIM_SCHEDULE names, else forward.
    SimDevice();
    DeviceKind kind() const override { return DeviceKind::sim; }
    std::string describe() const override;
    void* allocate(std::size_t bytes) override;
    void free(void* data) noexcept override;
    /// Throws Error(bug) for a range that begins in this device's memory and ends outside.
    void copy(Stream stream, void* to, const void* from, std::size_t bytes) override;
    void fill(Stream stream, void* data, std::uint8_t value, std::size_t bytes) override;

    /// From here on accesses to memory are counted, see access_counter.h.
    void count_accesses() { workers_.front()->count_accesses(); }
    /// A kernel's requests by the line of a file ("kernels/a.cu:12"), or everywhere.
    sim::AccessCount access_count(const std::string& kernel, const std::string& line) const;
    std::vector<sim::AccessCount> access_counts(const std::string& kernel) const;

    void run(const char* kernel, const Grid& grid, const std::function<void()>& body);

  private:
    /// A kernel that faults when it is launched for the `left`-th time from now; none where the name is empty.
    struct Fault {
        std::string kernel;
        int left = 0;
    };
    static Fault fault_of_environment();
    void meet_fault(const char* kernel);

    sim::Schedule schedule_;
    Fault fault_ = fault_of_environment();
    bool faulted_ = false;
    sim::GlobalMemory memory_;
    std::vector<std::unique_ptr<sim::Executor>> workers_; // of different threads
};

} // namespace bifrons::kernels
