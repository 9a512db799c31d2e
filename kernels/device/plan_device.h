// kernels/device/plan_device.h - runs nothing: hands out addresses that are never touched and adds up costs.
#pragma once

#include "kernels/device/device.h"

namespace bifrons::kernels {

class PlanDevice : public Device {
  public:
    struct Entry {
        std::string range; ///< the innermost range that was open
        std::string op;
        Cost cost;
    };

    explicit PlanDevice(Target target) : target_(target) {}
    DeviceKind kind() const override { return DeviceKind::plan; }
    Target target() const override { return target_; }
    std::string describe() const override;

    void* allocate(std::size_t bytes) override;
    void free(void*) noexcept override {}
    std::size_t free_bytes() const override { return ~std::size_t(0); }
    void copy(Stream, void*, const void*, std::size_t bytes) override;
    void fill(Stream, void*, std::uint8_t, std::size_t bytes) override;
    void synchronize(Stream) override {}
    Stream create_stream() override { return {}; }
    void destroy_stream(Stream) noexcept override {}
    std::unique_ptr<Event> record_event(Stream) override { return std::make_unique<Event>(); }
    void wait_event(Stream, const Event&) override {}
    double elapsed_ms(const Event&, const Event&) override { return 0; }
    void begin_recording(Stream) override {}
    std::unique_ptr<Recording> end_recording(Stream) override { return std::make_unique<Recording>(); }
    void replay(Stream, const Recording&) override {}
    void account(const char* op, const Cost& cost) override;
    void push_range(const std::string& name) override { ranges_.push_back(name); }
    void pop_range() override { ranges_.pop_back(); }

    /// Every operation so far, in order.
    const std::vector<Entry>& entries() const { return entries_; }
    /// Sum of FLOPs and bytes, largest workspace.
    Cost total() const;

  private:
    Target target_;
    std::uintptr_t next_ = std::uintptr_t(1) << 40; // far from anything mapped low; a stray access faults
    std::vector<std::string> ranges_;
    std::vector<Entry> entries_;
};

} // namespace bifrons::kernels
