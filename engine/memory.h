// engine/memory.h - where tensors get their bytes from.
//
//   Pool     the device's own memory, block by block: work outside a training step
//   Planner  no memory: notes how long each block lives, on the `plan` device
//   Slab     one allocation with fixed offsets, computed from a Planner's notes: the training step
//
// A step is dry-run once on a Planner; the real step then asks a Slab for the same blocks in the same order.
//
// In a slab, blocks lie close together and take the places of earlier ones, where no redzone and no sanitizer sees a
// mistake. A guarded slab shows it: a block's bytes are NaN before it is written and after it is released, and between
// guards, which are NaN too and must still be so at its end.
#pragma once

#include "kernels/device/device.h"

#include <map>
#include <string>

namespace bifrons {

class Memory {
  public:
    virtual ~Memory() = default;
    /// 256-byte aligned, uninitialised.
    virtual void* allocate(std::size_t bytes) = 0;
    virtual void release(void* data) noexcept = 0;
};

class Pool : public Memory {
  public:
    explicit Pool(kernels::Device& device) : device_(device) {}
    void* allocate(std::size_t bytes) override { return device_.allocate(bytes); }
    void release(void* data) noexcept override { device_.free(data); }

  private:
    kernels::Device& device_;
};

/// Offsets of a step's blocks in one slab.
struct MemoryPlan {
    struct Block {
        std::size_t bytes = 0, offset = 0; ///< with its guards
        int born = 0, died = 0; ///< positions in the sequence of allocations and releases; alive in [born, died)
    };
    std::vector<Block> blocks; ///< in order of allocation
    std::size_t bytes = 0;     ///< size of the slab
    std::size_t guard = 0;     ///< bytes before and after each block that nobody may touch

    /// Sum of the blocks that are alive at the worst moment: no placement needs less.
    std::size_t peak_bytes() const;
};

/// Of a step on such a device: none but on `sim` and, in debug builds and under AddressSanitizer, on `cpu`.
std::size_t guard_bytes(kernels::Target target);

class Planner : public Memory {
  public:
    /// guard: a multiple of 256.
    explicit Planner(std::size_t guard = 0) : guard_(guard) {}
    void* allocate(std::size_t bytes) override;
    void release(void* data) noexcept override;
    /// Places the blocks: largest first, each at the lowest offset that is free during its life.
    MemoryPlan plan() const;

  private:
    std::size_t guard_;
    std::vector<MemoryPlan::Block> blocks_;
    std::map<void*, std::size_t> alive_; // address -> block
    int time_ = 0;
    std::uintptr_t next_ = std::uintptr_t(1) << 41;
};

class Slab : public Memory {
  public:
    /// Takes plan.bytes from the device, for work on `stream`. Throws Error(device) if there is not enough. Guards need
    /// a device that runs host work.
    Slab(kernels::Device& device, kernels::Stream stream, MemoryPlan plan);
    /// In memory of plan.bytes that somebody else took and keeps.
    Slab(kernels::Device& device, kernels::Stream stream, MemoryPlan plan, void* lent);
    ~Slab() override;
    Slab(const Slab&) = delete;
    Slab& operator=(const Slab&) = delete;

    /// The next block of the plan. Throws Error(bug) if another size is asked for than was planned.
    void* allocate(std::size_t bytes) override;
    void release(void* data) noexcept override;
    /// The next allocation is the plan's first again. Throws Error(bug) if work that is done wrote into a guard.
    void rewind();
    std::size_t bytes() const { return plan_.bytes; }
    void* at(std::size_t offset) const { return base_ + offset; }

  private:
    struct Guarded {
        std::size_t number = 0, bytes = 0; // of the allocation, as it was asked for
    };
    void make_nan(const Guarded& block);
    void check(const Guarded& block);

    kernels::Device& device_;
    kernels::Stream stream_;
    MemoryPlan plan_;
    char* base_ = nullptr;
    bool lent_ = false;
    std::size_t next_ = 0;
    std::map<void*, Guarded> alive_; // where there are guards
    std::string overrun_;            // the first that was found since the last rewind
};

} // namespace bifrons
