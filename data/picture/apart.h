// data/picture/apart.h - work on bytes from outside in a process of its own, for decoders that such bytes may crash.
//
// Tests tests/data/apart_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace bifrons::data {

/// Memory that a child process shares with this one. All zeros at first.
class SharedBytes {
  public:
    /// Throws std::bad_alloc.
    explicit SharedBytes(std::size_t size);
    ~SharedBytes();
    SharedBytes(const SharedBytes&) = delete;
    SharedBytes& operator=(const SharedBytes&) = delete;

    std::uint8_t* data() const { return data_; }
    std::size_t size() const { return size_; }

  private:
    std::uint8_t* data_;
    std::size_t size_;
};

struct Allowance {
    std::int64_t bytes = 0;   ///< of memory beyond what this process has
    std::int64_t seconds = 0; ///< of the processor's time
};

/// Runs `work` in a child process, and waits. Only what it writes into SharedBytes comes back. Returns why it failed:
/// what it threw, what ended it, or what it used up; empty: it did not.
/// Throws Error(failed) where no process can be started.
std::string run_apart(const std::function<void()>& work, const Allowance& allowance);

} // namespace bifrons::data
