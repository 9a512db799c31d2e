#include "engine/step.h"

#include "engine/tape.h"
#include "kernels/device/dispatch.h"
#include "kernels/device/plan_device.h"

#include <cstdlib>
#include <cstring>

namespace bifrons {

bool Step::default_recording()
{
    const auto is = [](const char* name, const char* value) {
        const char* text = std::getenv(name);
        return text && std::strcmp(text, value) == 0;
    };
    return !is("BIFRONS_SYNC", "1") && !is("BIFRONS_RECORD", "0");
}

Step::Step(kernels::Device& device, kernels::Stream stream, Body body, bool recording)
    : device_(device), stream_(stream), body_(std::move(body)), recording_allowed_(recording)
{
}

const MemoryPlan& Step::plan()
{
    if (plan_) return *plan_;
    kernels::PlanDevice dry(device_.target());
    Planner planner(guard_bytes(device_.target()));
    call_body({&dry, {}, {}}, planner);
    plan_ = planner.plan();
    costs_.clear();
    for (const auto& e : dry.entries()) costs_.emplace_back(e.range.empty() ? e.op : e.range + "/" + e.op, e.cost);
    workspace_bytes_ = kernels::aligned(dry.total().workspace_bytes);
    plan_->bytes += workspace_bytes_; // behind the blocks
    return *plan_;
}

std::size_t Step::workspace_bytes()
{
    plan();
    return workspace_bytes_;
}

const std::vector<std::pair<std::string, kernels::Cost>>& Step::costs()
{
    plan();
    return costs_;
}

kernels::Exec Step::exec() const
{
    return {&device_, stream_, workspace_};
}

/// An error names the part of the network in which it was raised.
void Step::call_body(kernels::Exec ex, Memory& memory)
{
    take_failed_range();
    try {
        body_(ex, memory);
    } catch (const Error& e) {
        const std::string part = take_failed_range();
        if (part.empty()) throw;
        throw Error(e.kind(), str(part, ": ", e.what()));
    }
}

void Step::run_body()
{
    slab_->rewind();
    call_body(exec(), *slab_);
}

void Step::reserve()
{
    if (fits_host()) host_->reserve();
    void* const lent = fits_host() ? host_->slab_->at(0) : nullptr;
    if (slab_ && lent == lent_) return;
    if (slab_) device_.synchronize(stream_);
    recording_.reset(); // it has the addresses of a slab that the host has given back
    ran_ = false;
    lent_ = lent;
    slab_ = lent ? std::make_unique<Slab>(device_, stream_, plan(), lent)
                 : std::make_unique<Slab>(device_, stream_, plan());
    workspace_ = {slab_->at(plan_->bytes - workspace_bytes_), workspace_bytes_};
}

void Step::run()
{
    reserve();
    if (!recording_ && ran_ && recording_allowed_) record();
    if (recording_)
        device_.replay(stream_, *recording_);
    else
        run_body();
    ran_ = true;
    slab_->rewind(); // an overrun is told by the run that it happened in
}

void Step::record()
{
    device_.begin_recording(stream_);
    try {
        run_body();
    } catch (...) {
        try {
            device_.end_recording(stream_);
        } catch (const Error&) { // the first error says more than the recording that it spoilt
        }
        throw;
    }
    recording_ = device_.end_recording(stream_);
}

void Step::invalidate()
{
    device_.synchronize(stream_);
    recording_.reset();
    slab_.reset();
    lent_ = nullptr;
    ran_ = false;
    plan_.reset();
}

} // namespace bifrons
