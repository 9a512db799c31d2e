// kernels/sim/shadow.h - what the checker knows of a range of memory: who touched each part of it last, and which bytes
// hold a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace bifrons::kernels::sim {

/// What may be done with a byte.
enum class ByteState : std::uint8_t {
    outside,   ///< nothing: it belongs to no object
    unwritten, ///< never written: it has no value yet
    written,   ///< both
    copying,   ///< nothing: an asynchronous copy writes it when it likes
    freed      ///< nothing any more
};

/// One access to a granule of two bytes.
struct Touch {
    std::uint32_t place = 0; ///< in the source, see place.h
    std::uint32_t thread : 10 = 0;
    std::uint32_t step : 22 = 0;  ///< of the thread, see thread_clocks.h
    std::uint32_t block : 29 = 0; ///< a number that no other block of the device has; 0 for none
    std::uint32_t bytes : 2 = 0;  ///< which of the two
    std::uint32_t atomic : 1 = 0;
};

/// The last accesses to a granule. Two readers are enough: of any two, one is not the writer that comes next.
struct Cell {
    Touch write, reads[2];
};

class Shadow {
  public:
    /// Of the bytes from `begin` on, all outside at first. Memory is taken as it is used.
    Shadow(const void* begin, std::size_t bytes);

    bool covers(const void* address) const
    {
        return reinterpret_cast<std::uintptr_t>(address) - begin_ < bytes_; // wraps below begin
    }
    std::size_t offset(const void* address) const { return reinterpret_cast<std::uintptr_t>(address) - begin_; }

    const ByteState* states(const void* address) const { return states_.get() + offset(address); }
    /// Sets as many of the bytes as are covered.
    void set(const void* address, std::size_t bytes, ByteState state);
    /// Gives the bytes the states that the bytes `from` have in the shadow `source`.
    void copy(const void* address, const Shadow& source, const void* from, std::size_t bytes);
    /// The granule that an address lies in; the granules are aligned as addresses are.
    Cell& cell(const void* address) const { return cells_[offset(address) / 2]; }

  private:
    struct Free {
        void operator()(void* memory) const;
    };
    std::uintptr_t begin_;
    std::size_t bytes_;
    std::unique_ptr<ByteState[], Free> states_;
    std::unique_ptr<Cell[], Free> cells_;
};

} // namespace bifrons::kernels::sim
