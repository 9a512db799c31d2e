// kernels/sim/schedule.h - in which order the simulator lets threads and blocks run. A kernel that is right gives the
// same result under each.
#pragma once

#include "kernels/base/error.h"

#include <random>
#include <vector>

namespace bifrons::kernels::sim {

struct Schedule {
    enum class Order { forward, reverse, random };
    Order order = Order::forward;
    std::uint32_t seed = 0; ///< random only

    /// "forward", "reverse", "random" (seed 0) or "random:SEED". Throws Error(usage).
    static Schedule parse(const std::string& text);
    /// What parse reads.
    std::string text() const;
};

/// Orders of n things by a schedule. Random ones follow from the seed alone.
class Sequencer {
  public:
    explicit Sequencer(Schedule schedule) : schedule_(schedule), engine_(schedule.seed) {}
    /// 0..n-1 in the next order.
    void arrange(std::vector<std::uint32_t>& order, std::size_t n);

  private:
    Schedule schedule_;
    std::mt19937 engine_;
};

} // namespace bifrons::kernels::sim
