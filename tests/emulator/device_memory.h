// tests/emulator/device_memory.h - the memory of the emulated GPU. Its addresses cannot be read by the host: they are
// reserved and forbidden, and the emulator reaches the bytes through a second mapping. Blocks are apart by more than
// any access is long, fresh and freed ones are filled with 0xff (NaN).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

namespace bifrons::emulator {

class DeviceMemory {
  public:
    static constexpr std::size_t kBytes = std::size_t(2) << 30;

    static DeviceMemory& instance();

    /// nullptr if there is no room.
    void* reserve(std::size_t bytes);
    void release(void* block);
    void fill_poison(const void* block);

    bool is_device(const void* address) const
    {
        const auto a = reinterpret_cast<std::uintptr_t>(address);
        return a >= first_ && a < first_ + kBytes;
    }
    /// The bytes behind addresses [address, address + bytes) where a live block has them all, otherwise nullptr.
    std::byte* bytes_at(std::uint64_t address, std::size_t bytes)
    {
        if (address < cached_begin_ || address + bytes > cached_end_) {
            if (!find(address, bytes)) return nullptr;
        }
        return alias_ + (address - first_);
    }

    std::size_t used() const { return used_; }

  private:
    DeviceMemory();
    bool find(std::uint64_t address, std::size_t bytes);

    std::uintptr_t first_ = 0;
    std::byte* alias_ = nullptr;
    std::map<std::uint64_t, std::size_t> blocks_; // address -> bytes
    std::uint64_t cached_begin_ = 1, cached_end_ = 0;
    std::size_t used_ = 0;
};

} // namespace bifrons::emulator
