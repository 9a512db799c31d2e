// kernels/base/arena.h - divides a block of memory, an operation's workspace, into arrays.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bifrons::kernels {

/// Hands out consecutive, aligned arrays of one block of memory. With no memory it only counts the bytes.
class Arena {
  public:
    explicit Arena(void* data) : data_(static_cast<char*>(data)) {}
    template <class T>
    T* take(std::int64_t n)
    {
        T* array = data_ ? reinterpret_cast<T*>(data_ + used_) : nullptr;
        used_ += (std::size_t(n) * sizeof(T) + 63) / 64 * 64;
        return array;
    }
    std::size_t used() const { return used_; }

  private:
    char* data_;
    std::size_t used_ = 0;
};

} // namespace bifrons::kernels
