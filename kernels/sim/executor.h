// kernels/sim/executor.h - runs a grid of threads on one processor core: block after block, a block's threads as
// fibers that take turns. Knows who waits where, so a kernel that cannot go on is reported instead of hanging.
#pragma once

#include "kernels/device/grid.h"
#include "kernels/sim/async.h"
#include "kernels/sim/fiber.h"
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
enum class Access { read, write, copy_begun, copy_done };

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
    /// Waits until all threads of the block that have not ended are here.
    void barrier(const Site& site);
    /// Waits until all lanes of `mask` that have not ended are here; the last one does the operation.
    void meet_warp(unsigned mask, void* argument, WarpOperation operation, const Site& site);
    void* shared_object(const void* key, std::size_t bytes);
    void* dynamic_shared(std::size_t bytes);

    // For the wrappers of kernels/ptx/:

    /// Throws Error(bug) unless the bytes lie in the block's shared memory / the address is a multiple of them.
    void check_shared(const void* address, std::size_t bytes, const Site& site) const;
    void check_aligned(const void* address, std::size_t bytes, const Site& site) const;
    /// The running thread accesses memory by an instruction.
    void note_access(const void*, std::size_t, Access, const Site&) {}
    /// cp.async: writes `bytes` at `to`, from `from` or zeros where it is not valid, when the schedule likes.
    void begin_copy(void* to, const void* from, std::size_t bytes, bool valid, const Site& site);
    void commit_copies();
    void wait_for_copies(std::size_t groups_left);

  private:
    enum class State { ready, at_barrier, in_warp, ended };
    struct Thread {
        std::unique_ptr<Fiber> fiber;
        Dim3 index;
        State state = State::ready;
        Site site = {}; // where it waits
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
    struct Cancelled {}; // unwinds the threads of a block that is given up

    void begin_launch(const char* kernel, const Grid& grid);
    void run_block(Dim3 block);
    void begin_block();
    bool run_ready_threads();
    void live(std::size_t id);
    void end_thread(std::size_t id);
    void give_up_block();
    void wait(State state, const Site& site);
    void open_barrier();
    Meeting& join(Warp& warp, unsigned mask, WarpOperation operation, const Site& site);
    bool finish_if_complete(Warp& warp, std::size_t first_thread, Meeting& meeting);
    Error error(const std::string& what) const;
    std::string who_waits_where() const;

    Schedule schedule_;
    Sequencer sequencer_;
    SharedMemory shared_;

    // The launch.
    const char* kernel_ = "";
    const std::function<void()>* body_ = nullptr;
    Grid grid_;
    std::vector<Thread> threads_; // fibers outlive a launch; the first `count_` are in use
    std::size_t count_ = 0;

    // The block.
    std::vector<Warp> warps_;
    std::vector<std::uint32_t> order_;
    std::size_t running_ = 0, at_barrier_ = 0;
    Site barrier_site_ = {};
    std::size_t active_ = 0; // the thread that has the core
    std::exception_ptr failure_;
    bool cancelled_ = false;
};

} // namespace bifrons::kernels::sim
