// kernels/sim/schedule.h - in which order the simulator lets threads and blocks run, and when asynchronous work is
// done. A kernel that is right gives the same result under each.
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
    std::uint32_t seed = 0; ///< of random and warps, and of what is done at random
    /// When a copy lands in shared memory: when it is waited for (until then its bytes are poison: a missing wait
    /// shows), when it is begun (what is still being read is overwritten), or at random one of the two.
    enum class Async { late, early, random };
    Async async = Async::late;

    /// ORDER[:SEED][:ASYNC], "random:7:late": forward, reverse, random or warps; a number with the last two; late,
    /// early or random, by default late with forward, early with reverse and random with the others. Throws
    /// Error(usage).
    static Schedule parse(const std::string& text);
    /// What parse reads, without what is the default.
    std::string text() const;
};

/// Orders of n things by a schedule. Random ones follow from the seed alone.
class Sequencer {
  public:
    explicit Sequencer(Schedule schedule) : schedule_(schedule), engine_(schedule.seed) {}
    /// 0..n-1 in the next order; `order` holds the last one, or nothing.
    void arrange(std::vector<std::uint32_t>& order, std::size_t n);
    /// Whether an asynchronous operation is done as soon as it is begun; else when it is waited for.
    bool lands_at_once();
    /// Whether, after a round of turns, one of those that were not done at once is done.
    bool work_goes_on();
    /// Which of n that is: the first, or any if such work is done at random.
    std::size_t pick(std::size_t n);
    /// After how many accesses a thread loses its turn where kernels are checked.
    std::uint32_t accesses_to_preemption() { return 1 + engine_() % 64; }

  private:
    void shuffle(std::vector<std::uint32_t>& order);
    void shuffle_warps(std::vector<std::uint32_t>& order, std::size_t n);

    Schedule schedule_;
    std::mt19937 engine_;
};

} // namespace bifrons::kernels::sim
