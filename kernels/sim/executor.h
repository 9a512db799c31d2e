// kernels/sim/executor.h - runs a grid of threads on one processor core: block after block (of a cooperative launch all
// blocks at once), the threads as fibers that take turns. Knows which thread waits where, so a kernel that cannot
// continue is reported instead of hanging.
#pragma once

#include "kernels/device/grid.h"
#include "kernels/sim/access_counter.h"
#include "kernels/sim/async.h"
#include "kernels/sim/callouts.h"
#include "kernels/sim/checker.h"
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

/// A cooperative launch can have this many blocks; on a GPU it is a question of their size.
constexpr int kResidentBlocks = 6;

/// Which blocks of a launch are run: every `of`-th from `first` on.
struct BlockShare {
    std::size_t first = 0, of = 1;
};

class Executor {
  public:
    /// `memory` is what kernels may access besides shared memory; it is used where kernels are checked.
    Executor(Schedule schedule, GlobalMemory& memory);
    Executor(const Executor&) = delete;

    /// Calls body once for each thread of the grid. Throws what body throws, and Error(bug) for a kernel that breaks
    /// CUDA's rules, naming the kernel, the block, threads and source lines.
    void run(const char* kernel, const Grid& grid, const std::function<void()>& body, BlockShare share = {});

    /// From here on accesses are counted.
    void count_accesses() { counter_ = std::make_unique<AccessCounter>(); }
    /// Null if none are.
    const AccessCounter* counts() const { return counter_.get(); }

    // For the threads of the grid; none is inline, since what is compiled into a kernel's file is taken for the
    // kernel's:

    /// The executor whose kernel is running on this core.
    static Executor& current();
    /// The running thread's number in its warp.
    int lane() const;
    /// Waits until all threads of the block that have not ended are here.
    void barrier(const Site& site);
    /// Waits until all lanes of `mask` that have not ended are here; the last one does the operation.
    void meet_warp(unsigned mask, void* argument, WarpOperation operation, const Site& site);
    /// Waits until the condition holds.
    void wait_until(const Condition& condition, const Site& site);
    /// Throws Error(bug) unless all blocks run at once.
    void check_cooperative(const Site& site) const;
    /// The kernel before this one in the stream has ended.
    void wait_for_previous_kernel();
    void* shared_object(const void* key, std::size_t bytes);
    void* dynamic_shared(std::size_t bytes);

    // For the wrappers of kernels/ptx/:

    /// Throws Error(bug) unless the bytes lie in one object of the block's shared memory.
    void check_shared(const void* address, std::size_t bytes, const Site& site) const;
    /// Throws Error(bug) unless the address is a multiple of `alignment`.
    void check_aligned(const void* address, std::size_t alignment, const Site& site) const;
    /// The running thread accesses memory by an instruction that no compiler knows.
    void note_access(const void* address, std::size_t bytes, Access access, const Site& site);
    /// It tells what it has done to those who come to `object` later, or learns what others have told there.
    void note_release(const void* object);
    void note_acquire(const void* object);
    /// __threadfence: what it has done is told by its next atomic operation, and what such a one says is learned.
    void note_fence();
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

    // For callouts.cpp:

    /// The running thread is about to access memory. Other threads may have their turn first.
    void kernel_access(const void* address, std::size_t bytes, Access access, const void* instruction);

  private:
    enum class State { ready, at_barrier, in_warp, at_condition, ended };
    struct Block;
    struct Thread {
        std::unique_ptr<Fiber> fiber;
        Block* block = nullptr;
        std::size_t number = 0; // in the block
        Dim3 index = {};
        State state = State::ready;
        Site site = {};         // where it waits
        bool in_access = false; // it is suspended in kernel_access, which cannot throw
        const Condition* condition = nullptr;
        CopyQueue copies = {};
        bool waited = false; // for the kernel before
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
        std::unique_ptr<BlockRecord> record = {}; // null unless kernels are checked
        std::vector<Warp> warps = {};
        std::size_t running = 0, at_barrier = 0;
        Site barrier_site = {};
        MbarrierTable mbarriers = {};
    };
    /// Asynchronous work that is done without anybody's help.
    struct Operation {
        std::size_t thread; // that has begun it
        Site site;
        std::function<void()> finish;
    };
    struct Cancelled {}; // unwinds the threads of blocks that are given up

    std::unique_ptr<Block> make_block() const;
    std::unique_ptr<Fiber> make_fiber(std::size_t id);
    void begin_launch(const char* kernel, const Grid& grid);
    void check_launch(const Grid& grid) const;
    void run_blocks(const std::uint32_t* numbers);
    void begin_block(Block& block, std::size_t index);
    void end_block(const Block& block);
    void report(const std::optional<Checker::EarlyRead>& read);
    bool run_ready_threads();
    bool is_ready(Thread& thread);
    void enter(std::size_t id);
    void live(std::size_t id);
    void end_thread(Thread& thread);
    void give_up();
    void wait(State state, const Site& site);
    std::string judge(const void* address, std::size_t bytes, Access access, SourcePlace place);
    void leave_access();
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
    std::unique_ptr<Checker> checker_;       // null unless kernels are checked
    std::unique_ptr<AccessCounter> counter_; // null unless accesses are counted
    std::uint32_t accesses_to_preemption_ = 1;

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
