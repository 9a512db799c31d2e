// engine/step.h - a piece of work that is repeated with the same shapes: a training step, a forward pass.
//
// The first run plans it (on the `plan` device: blocks, lifetimes, workspace), takes one slab for it and runs it
// eagerly. The second run records it; later ones replay the recording. Inside, nothing is allocated and nothing waits.
#pragma once

#include "engine/memory.h"

#include <functional>
#include <optional>

namespace bifrons {

class Step {
  public:
    /// What is repeated. It must enqueue the same operations every time; what changes lives in device memory. Under
    /// planning, the Exec's device is a plan and no operand may be touched. An error that it throws within a
    /// Tape::Scope gets the scope's path in front: "decoder_src.res0.conv1: conv2d: ...".
    using Body = std::function<void(kernels::Exec, Memory&)>;

    /// recording false (BIFRONS_SYNC=1 or BIFRONS_RECORD=0 set it): every run is eager.
    Step(kernels::Device& device, kernels::Stream stream, Body body, bool recording = default_recording());

    /// Runs in the slab of another step on the same stream, where that is large enough, instead of taking one of its
    /// own: the two never run at once. `host` must outlive this.
    void share(Step& host) { host_ = &host; }

    /// Enqueues the work once. Throws Error(device) if there is no memory for the slab, and Error(bug) if the slab is
    /// guarded and an operation wrote outside its operand.
    void run();
    /// Takes the slab now instead of with the first run, so that a device that is too full says so before work starts.
    void reserve();
    /// The next run plans again: a setting or the thread count changed.
    void invalidate();

    /// Plans now, if that has not been done; takes no memory.
    const MemoryPlan& plan();
    /// What the slab takes: the plan's blocks and the workspace. Equals Slab::bytes() once it runs.
    std::size_t planned_bytes() { return plan().bytes; }
    /// What it takes in addition to the step that it shares with.
    std::size_t own_bytes() { return fits_host() ? 0 : planned_bytes(); }
    /// The same as it was taken: 0 before the first run.
    std::size_t slab_bytes() const { return slab_ && !lent_ ? slab_->bytes() : 0; }
    std::size_t workspace_bytes();
    /// Operations of one run with their costs, as planned.
    const std::vector<std::pair<std::string, kernels::Cost>>& costs();

    static bool default_recording();

  private:
    kernels::Exec exec() const;
    void call_body(kernels::Exec ex, Memory& memory);
    void run_body();
    void record();
    bool fits_host() { return host_ && planned_bytes() <= host_->planned_bytes(); }

    kernels::Device& device_;
    kernels::Stream stream_;
    Body body_;
    bool recording_allowed_;
    std::optional<MemoryPlan> plan_;
    std::vector<std::pair<std::string, kernels::Cost>> costs_; // layer/operation
    std::size_t workspace_bytes_ = 0;
    Step* host_ = nullptr;
    std::unique_ptr<Slab> slab_;
    void* lent_ = nullptr; // where the host's slab lies, while this step runs in it
    bool ran_ = false;     // since it has its slab
    kernels::Workspace workspace_;
    std::unique_ptr<kernels::Recording> recording_;
};

} // namespace bifrons
