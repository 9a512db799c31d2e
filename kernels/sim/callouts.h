// kernels/sim/callouts.h - how the compiler's instrumentation of kernels (-fsanitize=thread, build option
// BIFRONS_SIM_CHECK) reaches the executor: it calls __tsan_read4(address) and the like before each access to memory,
// and here, in the place of ThreadSanitizer's library, those functions ask the checker.
#pragma once

namespace bifrons::kernels::sim {

class Executor;

/// Whether the kernels of this program are instrumented.
constexpr bool kCheckedKernels = BIFRONS_SIM_CHECK;

/// While one lives, the accesses of instrumented code on this core are a kernel's.
class KernelCode {
  public:
    KernelCode();
    ~KernelCode();
    KernelCode(const KernelCode&) = delete;
};

/// While one lives, they are the simulator's own: some of its functions may stem from an instrumented file.
class SimulatorCode {
  public:
    SimulatorCode();
    ~SimulatorCode();
    SimulatorCode(const SimulatorCode&) = delete;

  private:
    Executor* interrupted_;
};

} // namespace bifrons::kernels::sim
