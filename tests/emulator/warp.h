// tests/emulator/warp.h - what instructions act upon: a warp of a block of a running grid.
#pragma once

#include "tests/emulator/device_memory.h"
#include "tests/emulator/instruction.h"

#include <array>
#include <map>
#include <span>

namespace bifrons::emulator {

/// A launch.
struct Grid {
    const Kernel* kernel = nullptr;
    std::array<unsigned, 3> blocks = {}, threads = {};
    std::size_t dynamic_shared = 0;
    bool cooperative = false;
    bool pdl = false; ///< global memory may not be touched before griddepcontrol.wait
    std::vector<std::byte> parameters = {};
};

/// A copy from global to shared memory that a thread has begun. It takes place at the wait for its group, or at
/// cp.async.mbarrier.arrive, which does not wait for it.
struct PendingCopy {
    std::uint32_t shared;
    std::uint64_t global;
    unsigned bytes;
    bool zeros; ///< are written in place of what is in global memory
};

struct Mbarrier {
    unsigned arrivals = 0, missing = 0, phase = 0;
    std::int64_t missing_bytes = 0;
};

class Block {
  public:
    Block(const Grid& grid, std::array<unsigned, 3> index);

    /// Bytes of shared memory at this offset.
    std::byte* shared_at(std::uint32_t offset, std::size_t bytes)
    {
        std::vector<std::byte>& memory = offset >= kDynamicShared ? dynamic_shared_ : static_shared_;
        const std::size_t at = offset >= kDynamicShared ? offset - kDynamicShared : offset;
        if (at + bytes > memory.size()) beyond_shared(offset, bytes);
        return memory.data() + at;
    }
    Mbarrier& mbarrier_at(std::uint32_t offset);
    /// Ends the phase if nothing is missing.
    static void settle(Mbarrier& barrier);

    const Grid& grid;
    std::array<unsigned, 3> index;
    std::map<std::uint32_t, Mbarrier> mbarriers;

  private:
    [[noreturn]] void beyond_shared(std::uint32_t offset, std::size_t bytes);

    std::vector<std::byte> static_shared_, dynamic_shared_;
};

enum class Space { global, shared, local, generic, parameter };

class Warp {
  public:
    Warp(Block& block, unsigned first_thread, unsigned threads);

    template <class Row>
    Row* row(std::uint32_t place)
    {
        return reinterpret_cast<Row*>(registers_.data() + place);
    }
    std::uint32_t* words(std::uint32_t place) { return row<std::uint32_t>(place); }
    std::uint64_t address(const Instruction& i, std::uint32_t operand, int lane)
    {
        const std::uint64_t base =
            i.wide_address ? row<std::uint64_t>(operand)[lane] : std::uint64_t(words(operand)[lane]);
        return base + std::uint64_t(std::int64_t(i.offset));
    }

    /// Bytes of memory for an access of a lane, or Fault.
    template <Space space>
    std::byte* memory(std::uint64_t address, std::size_t bytes, int lane)
    {
        if ((address & (bytes - 1)) != 0) misaligned(address, bytes, lane);
        if constexpr (space == Space::shared) return block.shared_at(std::uint32_t(address), bytes);
        if constexpr (space == Space::local) return local_at(address, bytes, lane);
        if constexpr (space == Space::parameter) return parameter_at(address, bytes);
        if constexpr (space == Space::generic) {
            if (address >= kLocalWindow) return local_at(address - kLocalWindow, bytes, lane);
            if (address >= kSharedWindow) return block.shared_at(std::uint32_t(address - kSharedWindow), bytes);
        }
        if (block.grid.pdl && !(may_touch_global >> lane & 1)) touched_too_early(lane);
        std::byte* found = DeviceMemory::instance().bytes_at(address, bytes);
        if (!found) out_of_bounds("global", address, bytes, lane);
        return found;
    }

    void commit_copies(Lanes lanes);
    /// Until at most this many groups of each lane are under way.
    void finish_copies(Lanes lanes, unsigned groups_left);
    void finish_all_copies(int lane);

    Block& block;
    Lanes alive;
    Lanes may_touch_global = 0;
    std::array<std::vector<PendingCopy>, kWarpSize> open_copies;              ///< of the group not committed yet
    std::array<std::vector<std::vector<PendingCopy>>, kWarpSize> copy_groups; ///< oldest first

  private:
    std::byte* local_at(std::uint64_t offset, std::size_t bytes, int lane);
    std::byte* parameter_at(std::uint64_t offset, std::size_t bytes);
    void copy(const PendingCopy& copy, int lane);
    [[noreturn]] void misaligned(std::uint64_t address, std::size_t bytes, int lane);
    [[noreturn]] void out_of_bounds(const char* space, std::uint64_t address, std::size_t bytes, int lane);
    [[noreturn]] void touched_too_early(int lane);

    std::vector<std::byte> registers_, local_;
};

} // namespace bifrons::emulator
