#include "kernels/sim/shared_memory.h"

#include "kernels/base/error.h"

#include <cstdint>
#include <cstring>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

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

char* guard_end(const SharedMemory::Object& object)
{
    return object.data + rounded(object.bytes) + kGuard;
}

#if defined(__SANITIZE_ADDRESS__)

constexpr bool kGuardsAreClosed = true; // whoever touches one is stopped at once

void close(const char* begin, std::size_t bytes)
{
    __asan_poison_memory_region(begin, bytes);
}

void poison(const SharedMemory::Object& object)
{
    __asan_unpoison_memory_region(object.data, object.bytes);
    std::memset(object.data, kPoison, object.bytes);
}

#else

constexpr bool kGuardsAreClosed = false;

void close(const char*, std::size_t) {}

void poison(const SharedMemory::Object& object)
{
    std::memset(object.data, kPoison, std::size_t(guard_end(object) - object.data));
}

#endif

std::string text(const SharedMemory::Object& object)
{
    return str(object.key ? "a SHARED object of " : "the dynamic shared memory of ", object.bytes, " bytes");
}

} // namespace

SharedMemory::SharedMemory() : memory_(kAlign + kArena)
{
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    arena_ = memory_.data() + (kAlign - address % kAlign) % kAlign;
}

std::size_t SharedMemory::arena_bytes() const
{
    return kArena;
}

void SharedMemory::begin_launch(std::size_t dynamic_bytes)
{
    objects_ = {{nullptr, arena_, dynamic_bytes}};
    close(arena_, kArena);
}

void SharedMemory::begin_block()
{
    for (const Object& object : objects_) poison(object);
}

std::string SharedMemory::damage() const
{
    if (kGuardsAreClosed) return "";
    for (const Object& object : objects_)
        for (const char* c = object.data + object.bytes; c < guard_end(object); ++c)
            if (*c != char(kPoison))
                return str(text(object), " was written beyond its end, at offset ", c - object.data);
    return "";
}

bool SharedMemory::contains(const void* address, std::size_t bytes) const
{
    const char* const begin = static_cast<const char*>(address);
    for (const Object& object : objects_)
        if (begin >= object.data && begin + bytes <= object.data + object.bytes) return true;
    return false;
}

std::string SharedMemory::describe(const void* address) const
{
    const char* const byte = static_cast<const char*>(address);
    const Object* found = &objects_.front();
    for (const Object& object : objects_)
        if (object.data <= byte) found = &object;
    return str("offset ", byte - found->data, " of ", text(*found));
}

void* SharedMemory::object(const void* key, std::size_t bytes)
{
    std::size_t static_bytes = bytes;
    for (std::size_t i = 1; i < objects_.size(); ++i) {
        if (objects_[i].key == key) return objects_[i].data;
        static_bytes += objects_[i].bytes;
    }
    if (static_bytes > kMaxStaticSharedBytes || static_bytes + dynamic_bytes() > kMaxSharedBytes) return nullptr;
    char* const data = guard_end(objects_.back());
    if (data + rounded(bytes) + kGuard > arena_ + kArena) return nullptr;
    objects_.push_back({key, data, bytes});
    poison(objects_.back());
    return data;
}

} // namespace bifrons::kernels::sim
