// kernels/device/host_device.h - what the two devices share whose operations are host functions (cpu, sim):
// host memory, immediate execution in stream order, recording as a list of closures.
#pragma once

#include "kernels/device/device.h"

namespace bifrons::kernels {

class HostRecording : public Recording {
  public:
    std::vector<std::function<void()>> work;
};

class HostDevice : public Device {
  public:
    Target target() const override { return {.kind = kind()}; }
    void* allocate(std::size_t bytes) override;
    void free(void* data) noexcept override;
    std::size_t free_bytes() const override;
    void copy(Stream stream, void* to, const void* from, std::size_t bytes) override;
    void fill(Stream stream, void* data, std::uint8_t value, std::size_t bytes) override;
    void synchronize(Stream) override {}
    Stream create_stream() override { return {}; }
    void destroy_stream(Stream) noexcept override {}
    std::unique_ptr<Event> record_event(Stream stream) override;
    void wait_event(Stream, const Event&) override {}
    double elapsed_ms(const Event& begin, const Event& end) override;
    void begin_recording(Stream stream) override;
    std::unique_ptr<Recording> end_recording(Stream stream) override;
    void replay(Stream stream, const Recording& recording) override;
    void enqueue(Stream stream, std::function<void()> work) override;

  private:
    std::unique_ptr<HostRecording> recording_; // null unless recording
};

} // namespace bifrons::kernels
