#include "kernels/device/host_device.h"

#include <chrono>
#include <cstdlib>
#include <cstring>

#include <unistd.h>

namespace bifrons::kernels {

namespace {

using Clock = std::chrono::steady_clock;

class HostEvent : public Event {
  public:
    Clock::time_point time = Clock::now();
};

} // namespace

void* HostDevice::allocate(std::size_t bytes)
{
    constexpr std::size_t kAlign = 256;
    void* data = std::aligned_alloc(kAlign, (bytes + kAlign - 1) / kAlign * kAlign + (bytes == 0 ? kAlign : 0));
    BIFRONS_CHECK(device, data, device_kind_name(kind()), ": out of memory: ", human_bytes(double(bytes)),
                  " needed, about ", human_bytes(double(free_bytes())),
                  " free. Lower the batch size, the resolution or the model's dims.");
    return data;
}

void HostDevice::free(void* data) noexcept
{
    std::free(data);
}

std::size_t HostDevice::free_bytes() const
{
    return std::size_t(sysconf(_SC_AVPHYS_PAGES)) * std::size_t(sysconf(_SC_PAGESIZE));
}

void HostDevice::copy(Stream stream, void* to, const void* from, std::size_t bytes)
{
    enqueue(stream, [=] { std::memmove(to, from, bytes); });
}

void HostDevice::fill(Stream stream, void* data, std::uint8_t value, std::size_t bytes)
{
    enqueue(stream, [=] { std::memset(data, value, bytes); });
}

std::unique_ptr<Event> HostDevice::record_event(Stream)
{
    return std::make_unique<HostEvent>();
}

double HostDevice::elapsed_ms(const Event& begin, const Event& end)
{
    const auto span = static_cast<const HostEvent&>(end).time - static_cast<const HostEvent&>(begin).time;
    return std::chrono::duration<double, std::milli>(span).count();
}

void HostDevice::begin_recording(Stream)
{
    BIFRONS_CHECK(bug, !recording_, device_kind_name(kind()), ": begin_recording inside a recording");
    recording_ = std::make_unique<HostRecording>();
}

std::unique_ptr<Recording> HostDevice::end_recording(Stream)
{
    BIFRONS_CHECK(bug, recording_, device_kind_name(kind()), ": end_recording without begin_recording");
    return std::move(recording_);
}

void HostDevice::replay(Stream, const Recording& recording)
{
    for (const auto& work : static_cast<const HostRecording&>(recording).work) work();
}

void HostDevice::enqueue(Stream, std::function<void()> work)
{
    if (recording_)
        recording_->work.push_back(std::move(work));
    else
        work();
}

} // namespace bifrons::kernels
