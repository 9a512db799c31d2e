#include "kernels/sim/global_memory.h"

#include "kernels/base/error.h"

#include <algorithm>
#include <cstring>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace bifrons::kernels::sim {

namespace {

constexpr std::size_t kRedzone = GlobalMemory::kRedzone;
constexpr std::size_t kKeptBytes = std::size_t(32) << 20; // of retired buffers
constexpr int kPoison = 0xFF;

#if defined(__SANITIZE_ADDRESS__)

// Whoever touches a redzone is stopped at once.
void make_redzone(char* redzone)
{
    __asan_poison_memory_region(redzone, kRedzone);
}

const char* overwritten(const char*)
{
    return nullptr;
}

#else

constexpr int kRedzoneByte = 0xA5;

void make_redzone(char* redzone)
{
    std::memset(redzone, kRedzoneByte, kRedzone);
}

/// The first byte of a redzone that was overwritten; null if none was.
const char* overwritten(const char* redzone)
{
    for (const char* c = redzone; c < redzone + kRedzone; ++c)
        if (*c != char(kRedzoneByte)) return c;
    return nullptr;
}

#endif

} // namespace

void* GlobalMemory::add(char* base, std::size_t bytes)
{
    char* const data = base + kRedzone;
    make_redzone(base);
    std::memset(data, kPoison, bytes);
    make_redzone(data + bytes);
    Buffer& buffer = buffers_[data] = {data, bytes, nullptr};
    if (checked_) {
        buffer.shadow = std::make_unique<Shadow>(base, kRedzone + bytes + kRedzone);
        buffer.shadow->set(data, bytes, ByteState::unwritten);
    }
    return data;
}

void GlobalMemory::retire(void* data)
{
    Buffer& buffer = buffers_.at(static_cast<char*>(data));
    if (buffer.shadow) buffer.shadow->set(data, buffer.bytes, ByteState::freed);
    retired_.push_back(buffer.data);
    retired_bytes_ += buffer.bytes;
}

char* GlobalMemory::take_retired(bool all)
{
    if (retired_.empty() || (checked_ && !all && retired_bytes_ <= kKeptBytes)) return nullptr;
    const auto buffer = buffers_.find(retired_.front());
    char* const base = buffer->second.data - kRedzone;
    retired_bytes_ -= buffer->second.bytes;
    retired_.pop_front();
    std::fill(std::begin(recent_), std::end(recent_), nullptr);
    buffers_.erase(buffer);
    return base;
}

Buffer* GlobalMemory::find(const void* address)
{
    const auto close = [&](const Buffer& buffer) {
        const char* const c = static_cast<const char*>(address);
        return c >= buffer.data - kRedzone && c < buffer.data + buffer.bytes + kRedzone;
    };
    for (Buffer* buffer : recent_)
        if (buffer && close(*buffer)) return buffer;
    auto next = buffers_.upper_bound(static_cast<const char*>(address) + kRedzone);
    if (next == buffers_.begin()) return nullptr;
    Buffer& buffer = (--next)->second;
    if (!close(buffer)) return nullptr;
    return recent_[next_recent_++ % std::size(recent_)] = &buffer;
}

void GlobalMemory::check_range(const char* what, const void* data, std::size_t bytes)
{
    const Buffer* const buffer = find(data);
    if (!buffer) return;
    const std::ptrdiff_t offset = static_cast<const char*>(data) - buffer->data;
    BIFRONS_CHECK(bug, offset >= 0 && std::size_t(offset) + bytes <= buffer->bytes, "sim: ", what, " ", bytes,
                  " bytes at offset ", offset, " of a buffer of ", buffer->bytes, " bytes");
}

void GlobalMemory::check_redzones(const char* kernel) const
{
    for (const auto& [data, buffer] : buffers_) {
        const char* const before = overwritten(data - kRedzone);
        const char* const hit = before ? before : overwritten(data + buffer.bytes);
        BIFRONS_CHECK(bug, !hit, kernel, ": byte ", hit - data, " of a buffer of ", buffer.bytes,
                      " bytes was written; the kernel wrote outside the buffer");
    }
}

void GlobalMemory::note_fill(const void* to, std::size_t bytes)
{
    if (!checked_) return;
    if (Buffer* const buffer = find(to)) buffer->shadow->set(to, bytes, ByteState::written);
}

void GlobalMemory::note_copy(const void* to, const void* from, std::size_t bytes)
{
    if (!checked_) return;
    Buffer *const source = find(from), *const target = find(to);
    if (!target) return;
    if (source)
        target->shadow->copy(to, *source->shadow, from, bytes);
    else
        target->shadow->set(to, bytes, ByteState::written);
}

} // namespace bifrons::kernels::sim
