// kernels/sim/schedule.h - in which order the simulator lets threads and blocks run. A kernel that is right gives the
// same result under each.
#pragma once

#include "kernels/base/error.h"

#include <random>
#include <vector>

namespace bifrons::kernels::sim {

constexpr int kWarpSize = 32;

struct Schedule {
    /// In the first three every ready thread has its turn before any has a second one: by rising or falling number, or
    /// in a new random order each time. With `warps` one warp runs as far ahead of the others as it can, and another
    /// takes the lead now and then: this finds missing barriers that the turns of the others hide.
    enum class Order { forward, reverse, random, warps };
    Order order = Order::forward;
    std::uint32_t seed = 0; ///< of random and warps

    /// "forward", "reverse", "random", "random:SEED", "warps" or "warps:SEED". Throws Error(usage).
    static Schedule parse(const std::string& text);
    /// What parse reads.
    std::string text() const;
};

/// Orders of n things by a schedule. Random ones follow from the seed alone.
class Sequencer {
  public:
    explicit Sequencer(Schedule schedule) : schedule_(schedule), engine_(schedule.seed) {}
    /// 0..n-1 in the next order; `order` holds the last one, or nothing.
    void arrange(std::vector<std::uint32_t>& order, std::size_t n);

  private:
    void shuffle(std::vector<std::uint32_t>& order);
    void shuffle_warps(std::vector<std::uint32_t>& order, std::size_t n);

    Schedule schedule_;
    std::mt19937 engine_;
};

} // namespace bifrons::kernels::sim
