// kernels/sim/thread_clocks.h - which accesses have happened before which others: a vector clock for each thread of a
// block.
//
// A thread counts its own steps; a step ends whenever others are told what the thread has done (at a barrier). The
// clock of a thread says up to which step it knows each other thread. Lamport, "Time, clocks, and the ordering of
// events in a distributed system", CACM 1978; Fidge 1988.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace bifrons::kernels::sim {

/// The last step of each thread of a block that is known.
using Steps = std::vector<std::uint32_t>;

/// What is known of several blocks, by their numbers.
using News = std::map<std::uint32_t, std::shared_ptr<const Steps>>;

/// Adds what `more` knows.
void add(News& news, const News& more);

class ThreadClocks {
  public:
    void begin_block(std::uint32_t block, std::size_t threads);
    /// The number of the block.
    std::uint32_t block() const { return block_; }

    /// The step that the thread is in; the first is 1.
    std::uint32_t step(std::size_t thread) const { return threads_[thread].step; }
    /// Whether what `other` did in that step happened before what `thread` does now; for threads of this block, and of
    /// another one.
    bool knows(std::size_t thread, std::size_t other, std::uint32_t step) const
    {
        return thread == other || (*threads_[thread].known)[other] >= step;
    }
    bool knows(std::size_t thread, std::uint32_t block, std::size_t other, std::uint32_t step) const;

    /// A barrier of all threads.
    void meet_all();
    /// A barrier of the threads first + i for each bit i of the mask.
    void meet(std::size_t first, std::uint32_t mask);
    /// What the thread has done and knows, for others to learn.
    News tell(std::size_t thread);
    void learn(std::size_t thread, const News& news);

  private:
    struct Thread {
        std::uint32_t step;
        std::shared_ptr<const Steps> known; // of this block; shared by all that have met
        std::shared_ptr<const News> others; // of other blocks; null for nothing
    };
    void merge(Thread& sum, const Thread& thread) const;

    std::uint32_t block_ = 0;
    std::vector<Thread> threads_;
};

} // namespace bifrons::kernels::sim
