#include "kernels/sim/shared_memory.h"

#include "kernels/base/error.h"

#include <cstdint>
#include <cstring>

namespace bifrons::kernels::sim {

namespace {

constexpr std::size_t kAlign = 1024; // of the arena; some instructions demand it
constexpr std::size_t kObjectAlign = 128;
constexpr std::size_t kGuard = 256;
constexpr std::size_t kArena = 2 * kMaxSharedBytes; // leaves room for the guards
constexpr int kPoison = 0xFF;

std::size_t rounded(std::size_t bytes)
{
    return (bytes + kObjectAlign - 1) / kObjectAlign * kObjectAlign;
}

} // namespace

SharedMemory::SharedMemory() : memory_(kAlign + kArena)
{
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    arena_ = memory_.data() + (kAlign - address % kAlign) % kAlign;
}

std::size_t SharedMemory::end() const
{
    return rounded(objects_.back().offset + objects_.back().bytes) + kGuard;
}

void SharedMemory::poison(const Object& object)
{
    std::memset(arena_ + object.offset, kPoison, rounded(object.bytes) + kGuard);
}

void SharedMemory::begin_launch(std::size_t dynamic_bytes)
{
    objects_ = {{nullptr, 0, dynamic_bytes}};
}

void SharedMemory::begin_block()
{
    for (const Object& object : objects_) poison(object);
}

std::string SharedMemory::damage() const
{
    for (const Object& object : objects_) {
        const char* const begin = arena_ + object.offset + object.bytes;
        const char* const guard_end = arena_ + rounded(object.offset + object.bytes) + kGuard;
        for (const char* c = begin; c < guard_end; ++c)
            if (*c != char(kPoison))
                return str(object.key ? "a SHARED object of " : "the dynamic shared memory of ", object.bytes,
                           " bytes was written beyond its end, at offset ", object.bytes + std::size_t(c - begin));
    }
    return "";
}

bool SharedMemory::contains(const void* address, std::size_t bytes) const
{
    const char* const begin = static_cast<const char*>(address);
    for (const Object& object : objects_) {
        const char* const data = arena_ + object.offset;
        if (begin >= data && begin + bytes <= data + object.bytes) return true;
    }
    return false;
}

void* SharedMemory::object(const void* key, std::size_t bytes)
{
    std::size_t static_bytes = bytes;
    for (std::size_t i = 1; i < objects_.size(); ++i) {
        if (objects_[i].key == key) return arena_ + objects_[i].offset;
        static_bytes += objects_[i].bytes;
    }
    if (static_bytes > kMaxStaticSharedBytes || static_bytes + dynamic_bytes() > kMaxSharedBytes) return nullptr;
    if (end() + rounded(bytes) + kGuard > kArena) return nullptr;
    objects_.push_back({key, end(), bytes});
    poison(objects_.back());
    return arena_ + objects_.back().offset;
}

} // namespace bifrons::kernels::sim
