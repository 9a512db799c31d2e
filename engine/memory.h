// engine/memory.h - where tensors get their bytes from.
//
//   Pool     the device's own memory, block by block: work outside a training step
//   Planner  no memory: notes how long each block lives, on the `plan` device
//   Slab     one allocation with fixed offsets, computed from a Planner's notes: the training step
//
// A step is dry-run once on a Planner; the real step then asks a Slab for the same blocks in the same order.
#pragma once

#include "kernels/device/device.h"

#include <map>

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
        std::size_t bytes = 0, offset = 0;
        int born = 0, died = 0; ///< positions in the sequence of allocations and releases; alive in [born, died)
    };
    std::vector<Block> blocks; ///< in order of allocation
    std::size_t bytes = 0;     ///< size of the slab

    /// Sum of the blocks that are alive at the worst moment: no placement needs less.
    std::size_t peak_bytes() const;
};

class Planner : public Memory {
  public:
    void* allocate(std::size_t bytes) override;
    void release(void* data) noexcept override;
    /// Places the blocks: largest first, each at the lowest offset that is free during its life.
    MemoryPlan plan() const;

  private:
    std::vector<MemoryPlan::Block> blocks_;
    std::map<void*, std::size_t> alive_; // address -> block
    int time_ = 0;
    std::uintptr_t next_ = std::uintptr_t(1) << 41;
};

class Slab : public Memory {
  public:
    /// Takes plan.bytes from the device. Throws Error(device) if there is not enough.
    Slab(kernels::Device& device, MemoryPlan plan);
    /// In memory of plan.bytes that somebody else took and keeps.
    Slab(kernels::Device& device, MemoryPlan plan, void* lent);
    ~Slab() override;
    Slab(const Slab&) = delete;
    Slab& operator=(const Slab&) = delete;

    /// The next block of the plan. Throws Error(bug) if another size is asked for than was planned.
    void* allocate(std::size_t bytes) override;
    void release(void*) noexcept override {}
    /// The next allocation is the plan's first again.
    void rewind() { next_ = 0; }
    std::size_t bytes() const { return plan_.bytes; }
    void* at(std::size_t offset) const { return base_ + offset; }

  private:
    kernels::Device& device_;
    MemoryPlan plan_;
    char* base_ = nullptr;
    bool lent_ = false;
    std::size_t next_ = 0;
};

} // namespace bifrons
