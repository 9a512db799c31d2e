// kernels/sim/global_memory.h - the buffers of a simulated device: of exact size, poisoned, between redzones.
//
// Poison is 0xFF: NaN in every float type. Where kernels are checked (checker.h) a buffer has a shadow, and a freed one
// is kept for a while, so that its use shows; AddressSanitizer does both by itself.
#pragma once

#include "kernels/sim/shadow.h"

#include <deque>
#include <map>
#include <string>

namespace bifrons::kernels::sim {

struct Buffer {
    char* data;
    std::size_t bytes;
    std::unique_ptr<Shadow> shadow; // of data and redzones; null unless kernels are checked
};

class GlobalMemory {
  public:
    static constexpr std::size_t kRedzone = 256; // keeps the alignment

    explicit GlobalMemory(bool checked) : checked_(checked) {}

    /// Makes a buffer of redzone + bytes + redzone from `base` on. Returns its data.
    void* add(char* base, std::size_t bytes);
    /// The buffer is not used any more.
    void retire(void* data);
    /// The base of a retired buffer that need not be kept; null if there is none.
    char* take_retired(bool all);

    /// The buffer that an address lies in or close to; null if there is none.
    Buffer* find(const void* address);
    /// Throws Error(bug) for bytes that begin inside a buffer and end outside.
    void check_range(const char* what, const void* data, std::size_t bytes);
    /// Throws Error(bug) if a redzone was overwritten.
    void check_redzones(const char* kernel) const;

    /// The host has given these bytes a value / copied them.
    void note_fill(const void* to, std::size_t bytes);
    void note_copy(const void* to, const void* from, std::size_t bytes);

  private:
    bool checked_;
    std::map<const char*, Buffer> buffers_; // by data; retired ones too
    std::deque<const char*> retired_;
    std::size_t retired_bytes_ = 0;
    Buffer* recent_[4] = {}; // of find
    unsigned next_recent_ = 0;
};

} // namespace bifrons::kernels::sim
