#include "tests/emulator/device_memory.h"

#include <cstring>
#include <stdexcept>

#include <sys/mman.h>
#include <unistd.h>

namespace bifrons::emulator {

namespace {

constexpr std::size_t kGap = 4096;

std::size_t with_gap(std::size_t bytes)
{
    return (bytes + kGap + 511) / 512 * 512;
}

} // namespace

DeviceMemory& DeviceMemory::instance()
{
    static DeviceMemory* memory = new DeviceMemory; // never ends: destructors of tests still free blocks
    return *memory;
}

DeviceMemory::DeviceMemory()
{
    const int file = memfd_create("emulated GPU", 0);
    void* reserved = mmap(nullptr, kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (file < 0 || ftruncate(file, kBytes) != 0 || reserved == MAP_FAILED)
        throw std::runtime_error("emulator: no memory for the emulated GPU");
    void* alias = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0);
    close(file);
    if (alias == MAP_FAILED) throw std::runtime_error("emulator: no memory for the emulated GPU");
    first_ = reinterpret_cast<std::uintptr_t>(reserved);
    alias_ = static_cast<std::byte*>(alias);
}

void* DeviceMemory::reserve(std::size_t bytes)
{
    std::uint64_t at = first_ + kGap; // first fit
    for (const auto& [begin, size] : blocks_) {
        if (at + with_gap(bytes) <= begin) break;
        at = begin + with_gap(size);
    }
    if (at + with_gap(bytes) > first_ + kBytes) return nullptr;
    at = (at + 511) / 512 * 512;
    blocks_[at] = bytes;
    used_ += bytes;
    return reinterpret_cast<void*>(at);
}

void DeviceMemory::fill_poison(const void* block)
{
    const auto at = reinterpret_cast<std::uint64_t>(block);
    std::memset(alias_ + (at - first_), 0xff, blocks_.at(at));
}

void DeviceMemory::release(void* block)
{
    fill_poison(block);
    const auto found = blocks_.find(reinterpret_cast<std::uint64_t>(block));
    used_ -= found->second;
    blocks_.erase(found);
    cached_begin_ = 1, cached_end_ = 0;
}

bool DeviceMemory::find(std::uint64_t address, std::size_t bytes)
{
    auto block = blocks_.upper_bound(address);
    if (block == blocks_.begin()) return false;
    --block;
    if (address + bytes > block->first + block->second) return false;
    cached_begin_ = block->first, cached_end_ = block->first + block->second;
    return true;
}

} // namespace bifrons::emulator
