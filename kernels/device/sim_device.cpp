#include "kernels/device/sim_device.h"

#include "kernels/sim/sim.h"

#include <cstdlib>
#include <cstring>

namespace bifrons::kernels {

namespace {

constexpr std::size_t kRedzone = 256; // keeps the alignment
constexpr int kRedzoneByte = 0xA5;
constexpr int kPoison = 0xFF;

sim::Schedule schedule_of_environment()
{
    const char* text = std::getenv("BIFRONS_SIM_SCHEDULE");
    return text ? sim::Schedule::parse(text) : sim::Schedule();
}

/// The first byte of a redzone that was overwritten; null if none was.
const char* overwritten(const char* redzone)
{
    for (const char* c = redzone; c < redzone + kRedzone; ++c)
        if (*c != char(kRedzoneByte)) return c;
    return nullptr;
}

} // namespace

SimDevice::SimDevice() : SimDevice(schedule_of_environment()) {}

std::string SimDevice::describe() const
{
    return str("sim: CUDA kernels simulated on one processor core, schedule ", schedule_.text());
}

void* SimDevice::allocate(std::size_t bytes)
{
    char* base = static_cast<char*>(HostDevice::allocate(kRedzone + bytes + kRedzone));
    char* data = base + kRedzone;
    std::memset(base, kRedzoneByte, kRedzone);
    std::memset(data, kPoison, bytes);
    std::memset(data + bytes, kRedzoneByte, kRedzone);
    allocations_[data] = bytes;
    return data;
}

void SimDevice::free(void* data) noexcept
{
    if (!data) return;
    allocations_.erase(static_cast<char*>(data));
    HostDevice::free(static_cast<char*>(data) - kRedzone);
}

void SimDevice::copy(Stream stream, void* to, const void* from, std::size_t bytes)
{
    check_range("copy to", to, bytes);
    check_range("copy from", from, bytes);
    HostDevice::copy(stream, to, from, bytes);
}

void SimDevice::fill(Stream stream, void* data, std::uint8_t value, std::size_t bytes)
{
    check_range("fill", data, bytes);
    HostDevice::fill(stream, data, value, bytes);
}

void SimDevice::check_range(const char* what, const void* data, std::size_t bytes) const
{
    const char* begin = static_cast<const char*>(data);
    auto next = allocations_.upper_bound(begin);
    if (next == allocations_.begin()) return;
    const auto& [start, size] = *--next;
    const auto offset = std::size_t(begin - start);
    BIFRONS_CHECK(bug, offset >= size || bytes <= size - offset, "sim: ", what, " ", bytes, " bytes at offset ", offset,
                  " of a buffer of ", size, " bytes");
}

void SimDevice::check_redzones(const char* kernel) const
{
    for (const auto& [data, bytes] : allocations_) {
        const char* before = overwritten(data - kRedzone);
        const char* hit = before ? before : overwritten(data + bytes);
        BIFRONS_CHECK(bug, !hit, kernel, ": byte ", hit - data, " of a buffer of ", bytes,
                      " bytes was written; the kernel wrote outside the buffer");
    }
}

void SimDevice::run(const char* kernel, const Grid& grid, const std::function<void()>& body)
{
    executor_.run(kernel, grid, body);
    check_redzones(kernel);
}

namespace sim {

void enqueue_kernel(const char* name, const Grid& grid, const Exec& ex, std::function<void()> body)
{
    auto* device = static_cast<SimDevice*>(ex.device);
    device->enqueue(ex.stream, [=] { device->run(name, grid, body); });
}

} // namespace sim

} // namespace bifrons::kernels
