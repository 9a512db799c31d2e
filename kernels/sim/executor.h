// kernels/sim/executor.h - runs a grid of threads on one processor core: block after block (of a cooperative launch all
// blocks at once), the threads as fibers that take turns. Knows who waits where, so a kernel that cannot go on is
// reported instead of hanging.
#pragma once

#include "kernels/device/grid.h"
#include "kernels/sim/async.h"
#include "kernels/sim/condition.h"
#include "kernels/sim/fiber.h"
#include "kernels/sim/mbarrier.h"
#include "kernels/sim/schedule.h"
#include "kernels/sim/shared_memory.h"
#include "kernels/sim/site.h"

#include <array>
#include <exception>
#include <memory>

namespace bifrons::kernels::sim {

/// What each lane of a warp has brought to a collective operation; null where a lane does not take part.
using WarpArguments = std::array<void*, kWarpSize>;
/// Does the operation for all lanes at once. Returns what is wrong, or an empty string.
using WarpOperation = std::string (*)(const WarpArguments& arguments);
/// What is wrong if a lane takes no part in an operation that needs all 32; else an empty string.
std::string missing_lane(const WarpArguments& arguments);

/// What an instruction that no compiler knows does with memory, told by the thread that it concerns. From copy_begun to
/// copy_done nobody may touch the bytes: the copy writes them when it likes.
enum class Access { read, write, atomic, copy_begun, copy_done };

/// A cooperative launch can have this many blocks; on a GPU it is a question of their size.
constexpr int kResidentBlocks = 6;

class Executor {
  public:
    explicit Executor(Schedule schedule) : schedule_(schedule), sequencer_(schedule) {}
    Executor(const Executor&) = delete;

    /// Calls body once for each thread of the grid. Throws what body throws, and Error(bug) for a kernel that breaks
    /// CUDA's rules, naming the kernel, the block, threads and source lines.
    void run(const char* kernel, const Grid& grid, const std::function<void()>& body);

    // For the threads of the grid:

    /// The executor whose kernel is running on this core.
    static Executor& current();
    /// The running thread's number in its warp.
    int lane() const { return int(threads_[active_].number % kWarpSize); }
    /// Waits until all threads of the block that have not ended are here.
    void barrier(const Site& site);
    /// Waits until all lanes of `mask` that have not ended are here; the last one does the operation.
    void meet_warp(unsigned mask, void* argument, WarpOperation operation, const Site& site);
    /// Waits until the condition holds.
    void wait_until(const Condition& condition, const Site& site);
    /// Throws Error(bug) unless all blocks run at once.
    void check_cooperative(const Site& site) const;
    /// The kernel before this one in the stream has ended.
    void wait_for_previous_kernel() { block().waited_for_previous = true; }
    void* shared_object(const void* key, std::size_t bytes);
    void* dynamic_shared(std::size_t bytes);

    // For the wrappers of kernels/ptx/:

    /// Throws Error(bug) unless the bytes lie in one object of the block's shared memory.
    void check_shared(const void* address, std::size_t bytes, const Site& site) const;
    /// Throws Error(bug) unless the address is a multiple of `alignment`.
    void check_aligned(const void* address, std::size_t alignment, const Site& site) const;
    /// The running thread accesses memory by an instruction.
    void note_access(const void*, std::size_t, Access, const Site&) {}
    /// It tells what it has done to those who come to `object` later, or learns what others have told there.
    void note_release(const void*) {}
    void note_acquire(const void*) {}
    /// __threadfence: what it has done is told by its next atomic operation, and what such a one says is learned.
    void note_fence() {}
    /// cp.async: writes `bytes` at `to`, from `from` or zeros where it is not valid, when the schedule likes.
    void begin_copy(void* to, const void* from, std::size_t bytes, bool valid, const Site& site);
    void commit_copies();
    void wait_for_copies(std::size_t groups_left);
    /// The barriers of PTX's mbarrier, by address.
    void init_mbarrier(const void* barrier, unsigned arrivals, const Site& site);
    void arrive(const void* barrier, const Site& site);
    void expect_bytes(const void* barrier, std::size_t bytes, const Site& site);
    void wait_for_phase(const void* barrier, unsigned parity, const Site& site);
    /// Arrives when the copies that the thread has begun have landed; they need no other wait.
    void arrive_after_copies(const void* barrier, const Site& site);
    /// cp.async.bulk: copies, then takes the bytes off what the barrier expects.
    void begin_bulk_copy(void* to, const void* from, std::size_t bytes, const void* barrier, const Site& site);

  private:
    enum class State { ready, at_barrier, in_warp, at_condition, ended };
    struct Block;
    struct Thread {
        std::unique_ptr<Fiber> fiber;
        Block* block = nullptr;
        std::size_t number = 0; // in the block
        Dim3 index = {};
        State state = State::ready;
        Site site = {}; // where it waits
        const Condition* condition = nullptr;
        CopyQueue copies = {};
    };
    /// Lanes of a warp that meet.
    struct Meeting {
        unsigned mask, arrived;
        Site site;
        WarpOperation operation;
        WarpArguments arguments;
    };
    struct Warp {
        unsigned running; // the lanes that have not ended
        std::vector<Meeting> meetings;
    };
    struct Block {
        Dim3 index = {};
        Thread* threads = nullptr; // the first
        SharedMemory shared = {};
        std::vector<Warp> warps = {};
        std::size_t running = 0, at_barrier = 0;
        Site barrier_site = {};
        MbarrierTable mbarriers = {};
        bool waited_for_previous = false;
    };
    /// Asynchronous work that is done without anybody's help.
    struct Operation {
        std::size_t thread; // that has begun it
        Site site;
        std::function<void()> finish;
    };
    struct Cancelled {}; // unwinds the threads of blocks that are given up

    void begin_launch(const char* kernel, const Grid& grid);
    void check_launch(const Grid& grid) const;
    void run_blocks(const std::uint32_t* numbers);
    void begin_block(Block& block, Dim3 index);
    void end_block(const Block& block);
    bool run_ready_threads();
    bool is_ready(Thread& thread);
    void enter(std::size_t id);
    void live(std::size_t id);
    void end_thread(Thread& thread);
    void give_up();
    void wait(State state, const Site& site);
    void open_barrier(Block& block);
    Meeting& join(Warp& warp, unsigned mask, WarpOperation operation, const Site& site);
    bool finish_if_complete(Warp& warp, Thread* lanes, Meeting& meeting);
    void finish_copy(AsyncCopy& copy);
    void begin_operation(const Site& site, std::function<void()> finish);
    bool finish_operation();
    MbarrierState& mbarrier(const void* address, const Site& site);
    Block& block() { return *threads_[active_].block; }
    const Block& block() const { return *threads_[active_].block; }
    std::string at(const Site& site) const;
    Error error(const std::string& what) const;
    std::string who_waits_where() const;

    Schedule schedule_;
    Sequencer sequencer_;
    // The launch.
    const char* kernel_ = "";
    const std::function<void()>* body_ = nullptr;
    Grid grid_;
    std::vector<Thread> threads_; // fibers outlive a launch; those of the blocks that run come first
    std::size_t block_size_ = 0;

    // The blocks that run.
    std::vector<std::unique_ptr<Block>> blocks_; // the first `at_once_`
    std::size_t at_once_ = 0;
    std::vector<Operation> operations_;
    std::vector<std::uint32_t> order_;
    std::size_t running_ = 0; // threads
    std::size_t active_ = 0;  // the thread that has the core
    std::exception_ptr failure_;
    bool cancelled_ = false;
};

} // namespace bifrons::kernels::sim
