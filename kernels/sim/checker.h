// kernels/sim/checker.h - judges each access of a kernel to shared and global memory: is it inside an object, does it
// read what has been written, and is it ordered with the accesses of others. It follows who knows of whose accesses
// (thread_clocks.h), so a missing barrier shows whatever order the threads ran in.
//
// Before wait_for_previous_kernel() a thread may not touch global memory: the kernel before may still write there.
// Threads of a block are ordered by __syncthreads, __syncwarp and mbarriers; shuffles, votes and mma order nothing.
// Blocks of a launch are ordered only by a __threadfence before an atomic operation of the one, and one after an atomic
// operation of the other.
#pragma once

#include "kernels/device/grid.h"
#include "kernels/sim/global_memory.h"
#include "kernels/sim/place.h"
#include "kernels/sim/shared_memory.h"
#include "kernels/sim/thread_clocks.h"

#include <optional>
#include <unordered_map>

namespace bifrons::kernels::sim {

/// What an access does. From copy_begun to copy_done no thread may touch the bytes: the copy writes them at any time.
enum class Access { read, write, atomic, copy_begun, copy_done };

/// What has been told at each barrier or atomic variable.
using Board = std::unordered_map<const void*, News>;

/// What is known of a block that runs.
struct BlockRecord {
    explicit BlockRecord(const SharedMemory& memory);

    /// The block has this object of shared memory, unwritten.
    void add_shared(const char* object, std::size_t bytes);

    const SharedMemory& shared;
    Shadow shadow;        // of shared memory
    std::size_t used = 0; // up to there is an object of this block or an earlier one
    ThreadClocks clocks;
    Board board;
    /// By threads: what they tell at their next atomic operation, and learn by their next fence.
    std::vector<News> fenced, heard;
    /// By threads: whether it knows that the kernel before has ended.
    std::vector<bool> waited;
};

class Checker {
  public:
    explicit Checker(GlobalMemory& global) : global_(global) {}

    void begin_launch(const Grid& grid);
    /// `index` is the block's number in the launch.
    void begin_block(BlockRecord& block, std::size_t index, std::size_t threads) const;

    /// What is wrong with an access by the block's thread; empty if nothing is. A read of uninitialised memory is
    /// put aside: if another thread writes there later, the mistake is the missing order.
    std::string judge(BlockRecord& block, std::size_t thread, const void* address, std::size_t bytes, Access access,
                      SourcePlace place);
    /// A read that was put aside, and the block it was in; its shared memory ends with the block, else with the launch.
    struct EarlyRead {
        Dim3 block;
        std::string text;
    };
    std::optional<EarlyRead> end_block(const BlockRecord& block) const;
    std::optional<EarlyRead> end_launch() const;

    /// The thread tells at `object` what it has done, or learns what has been told there.
    void release(BlockRecord& block, std::size_t thread, const void* object);
    void acquire(BlockRecord& block, std::size_t thread, const void* object);
    void fence(BlockRecord& block, std::size_t thread);

  private:
    /// An access being judged.
    struct Attempt {
        const BlockRecord* block;
        const char* address;
        std::size_t bytes;
        Access access;
        Touch touch;
        bool shared;
    };
    Board& board_of(BlockRecord& block, const void* object);
    bool allowed(const Shadow& shadow, const Attempt& attempt) const;
    const Touch* rival(const Cell& cell, const Attempt& attempt, const Touch& touch) const;
    bool unordered(const Touch& earlier, const Touch& touch, const Attempt& attempt) const;
    void remember_read(Cell& cell, const Touch& touch, const Attempt& attempt) const;
    void pass_news(BlockRecord& block, std::size_t thread, const void* variable);
    std::string forbidden(const Shadow& shadow, const Attempt& attempt) const;
    std::string conflict(const Attempt& attempt, const Touch& other, bool other_wrote) const;
    std::string attempted(const Attempt& attempt) const;
    std::string where(const Attempt& attempt) const;
    EarlyRead early_read() const;
    Dim3 block_index(const Touch& touch) const;

    GlobalMemory& global_;
    Grid grid_;
    Board board_;
    std::optional<Attempt> early_read_;
    std::uint32_t first_block_ = 1, next_launch_ = 1; // numbers of blocks, see Touch
};

} // namespace bifrons::kernels::sim
