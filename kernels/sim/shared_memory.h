// kernels/sim/shared_memory.h - the shared memory of the block that is being simulated.
//
// Poisoned with 0xFF at the start of each block: what is read before it is written is NaN. Every object is followed by
// a guard, which is looked at when the block has ended.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace bifrons::kernels::sim {

constexpr std::size_t kMaxSharedBytes = 227 << 10;      ///< what a block can have on sm_90
constexpr std::size_t kMaxStaticSharedBytes = 48 << 10; ///< what a block can have without asking for it at launch

class SharedMemory {
  public:
    SharedMemory();
    SharedMemory(const SharedMemory&) = delete;

    struct Object {
        const void* key; // of SHARED(); null for the dynamic one
        char* data;
        std::size_t bytes;
    };

    /// The launch gives this many bytes to dyn_shared.
    void begin_launch(std::size_t dynamic_bytes);
    void begin_block();
    /// What a thread has written beyond its object; empty if none has.
    std::string damage() const;

    std::size_t dynamic_bytes() const { return objects_.front().bytes; }
    void* dynamic() { return arena_; }
    const char* arena() const { return arena_; }
    std::size_t arena_bytes() const;
    const std::vector<Object>& objects() const { return objects_; }
    /// The object of SHARED(): the same for the same key throughout a launch. Null if there is no room for it.
    void* object(const void* key, std::size_t bytes);
    bool holds(const void* address) const { return address >= arena_ && address < arena_ + arena_bytes(); }
    /// Whether all of the bytes belong to one object.
    bool contains(const void* address, std::size_t bytes) const;
    /// "offset 4 of a SHARED object of 128 bytes": of the object that the address lies in or behind.
    std::string describe(const void* address) const;

  private:
    std::vector<char> memory_;
    char* arena_;                 // the first suitably aligned byte of memory_
    std::vector<Object> objects_; // the first is the dynamic one
};

} // namespace bifrons::kernels::sim
