#include "kernels/device/plan_device.h"

#include "kernels/device/dispatch.h"

#include <algorithm>

namespace bifrons::kernels {

std::string PlanDevice::describe() const
{
    const std::string sm = target_.sm ? str(":sm_", target_.sm) : "";
    return str("plan for ", device_kind_name(target_.kind), sm);
}

void* PlanDevice::allocate(std::size_t bytes)
{
    void* data = reinterpret_cast<void*>(next_);
    next_ += aligned(bytes) + 256;
    return data;
}

void PlanDevice::copy(Stream, void*, const void*, std::size_t bytes)
{
    account("copy", {.bytes = 2.0 * double(bytes)});
}

void PlanDevice::fill(Stream, void*, std::uint8_t, std::size_t bytes)
{
    account("fill", {.bytes = double(bytes)});
}

void PlanDevice::account(const char* op, const Cost& cost)
{
    entries_.push_back({ranges_.empty() ? "" : ranges_.back(), op, cost});
}

Cost PlanDevice::total() const
{
    Cost sum;
    for (const Entry& e : entries_) {
        sum.flops += e.cost.flops;
        sum.bytes += e.cost.bytes;
        sum.workspace_bytes = std::max(sum.workspace_bytes, e.cost.workspace_bytes);
    }
    return sum;
}

} // namespace bifrons::kernels
