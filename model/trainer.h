// model/trainer.h - one training step after the other: batch, forward, losses, gradients, update; and what is needed to
// stop and resume bit for bit.
//
// The step is planned, takes one slab and is recorded (engine/step.h). Its samples and its updates depend on the seed,
// the step's number and the weights alone, so that a resumed run equals an undisturbed one.
#pragma once

#include "engine/checkpoint.h"
#include "engine/optimizer.h"
#include "engine/step.h"
#include "model/objective.h"
#include "model/settings.h"

namespace bifrons::model {

/// What a step made of its batch.
struct StepReport {
    std::vector<std::string> names; ///< of the losses; the last is "total"
    std::vector<double> values;     ///< weighted
    double grad_norm = 0;           ///< of the generator
    double learning_rate = 0;       ///< of the step's update, as warm-up and schedule make it
    std::int64_t step = 0;          ///< steps done, skipped ones included
    bool skipped = false;           ///< a loss or a gradient was not finite: the weights were left as they are
    int bad_steps = 0;              ///< skipped steps in a row
    double total() const { return values.back(); }
};

/// Bytes that a training takes, by what for.
struct MemoryUse {
    std::size_t weights = 0, packed = 0, gradients = 0, moments = 0, average = 0, batch = 0, activations = 0,
                workspace = 0, validation = 0;
    std::size_t perceptual = 0; ///< the frozen network's weights
    std::size_t total() const
    {
        return weights + packed + gradients + moments + average + batch + activations + workspace + validation +
               perceptual;
    }
};

class Trainer {
  public:
    /// Declares the network and takes its memory; the weights are initialised from the seed. Sources must outlive this;
    /// validation may be null. dtype f64 (cpu) is for tests. Throws Error(usage) for settings that cannot be built.
    Trainer(kernels::Device& device, const Settings& settings, BatchSource& training, BatchSource* validation,
            DType dtype = DType::f32);
    /// Takes the memory of step() and validate() now. Throws Error(device) if there is not enough.
    void reserve();
    /// Enqueues one step.
    void step();
    /// Waits and tells about the last step.
    StepReport report();
    /// Waits and tells about each step since the last call (or since restore), in order.
    std::vector<StepReport> reports();
    /// Steps that reports() has not told about. To be kept below kReports: older ones are forgotten.
    std::int64_t unreported() const { return steps_ - reported_; }
    static constexpr std::int64_t kReports = 32;
    /// Losses of one held-out batch, drawn for the current step; the weights are not touched. Waits.
    StepReport validate();

    /// Tries the cpu device's thread counts (one, and all) on the gradients of a batch, and keeps the faster. Changes
    /// nothing else. Returns the choice; no-op elsewhere than on cpu.
    int choose_threads();
    /// To be called after the device's thread count was changed by hand: the steps are planned again.
    void replan();

    /// Blocks (Autoencoder::blocks()) take the weights they have in another model's checkpoint, averaged ones if it has
    /// them. Throws Error(usage) for
    /// a block that one of the two has not or that has other shapes there; nothing is changed then.
    void take_blocks(const Checkpoint& from, const std::vector<std::string>& blocks);
    /// Reinitialises blocks, with weights they never had; the optimizer's moments start at zero. Throws Error(usage)
    /// for a block that does not exist.
    void reset_blocks(const std::vector<std::string>& blocks);

    std::int64_t steps() const { return steps_; }
    /// Writes a checkpoint: weights, moments, counters, settings. Waits.
    void save(CheckpointStore& store);
    /// Everything as it was when the checkpoint was written. What it has not because a setting was another - a group of
    /// parameters beside the generator, the optimizer's moments, the average - starts new, each with a message to
    /// `warn`. Throws Error(data) if it is of another network.
    void restore(
        const Checkpoint& checkpoint, const Warn& warn = [](const std::string&) {});
    /// The checkpoint's weights and moments, but the random step continues from here, so that the samples that caused
    /// it do not come again.
    void roll_back(const Checkpoint& checkpoint);

    const Settings& settings() const { return settings_; }
    Precision precision() const { return precision_; }
    const Parameters& parameters() const { return params_; }
    const Optimizer& optimizer() const { return optimizer_; }
    const Autoencoder& network() const { return net_; }
    kernels::Exec exec() const { return {&device_, {}, {}}; }
    const Batch& batch() const { return batch_; }
    /// As planned; nothing needs to have run.
    MemoryUse memory_use();
    /// Operations of one step with their costs, as planned: "layer/operation".
    const std::vector<std::pair<std::string, kernels::Cost>>& costs() { return step_->costs(); }
    /// What runs between steps may share their slab.
    Step& shared_step() { return *step_; }
    /// The size of the slabs that step() and validate() have taken; once both have, equals memory_use().activations +
    /// workspace + validation.
    std::size_t slab_bytes() const { return step_->slab_bytes() + (validate_ ? validate_->slab_bytes() : 0); }

  private:
    void allocate(DType dtype);
    void training_step(kernels::Exec ex, Memory& memory);
    using Part = Objective::Part;
    /// The gradients of a part over all batches of the step, and the update of its parameters.
    void update(kernels::Exec ex, Memory& memory, Part part);
    /// Of the batch numbered so among the step's, whose losses go to `report`.
    void gradients(kernels::Exec ex, Memory& memory, std::int64_t number, const Tensor& report, Part part);
    Var losses(Tape& tape, const Tensor& report, Part part) const;
    void restore(const Checkpoint& checkpoint, std::uint64_t random_step, const Warn& warn);
    std::vector<int> parameters_of(const std::vector<std::string>& blocks) const;
    void forget_moments();
    void initialise(const Parameters::Group& group, std::uint64_t seed);
    void tell_of_unused(const Checkpoint& checkpoint, const Warn& warn) const;
    StepReport report_of(const kernels::StepState& state, const double* losses) const;
    kernels::StepState read_state() const;
    void write_state(const kernels::StepState& state);
    /// What a checkpoint holds: an arena, or the first part of one, and the prefix of its tensors' names.
    struct Stored {
        std::string prefix;
        Tensor arena;
        const char* what; ///< for people; null: goes with another, which is named
        bool has(const Parameters::Group& group) const { return group.end <= arena.size(); }
    };
    std::vector<Stored> stored() const;
    std::vector<std::uint8_t> read(const Checkpoint& checkpoint, const Stored& part, kernels::StepState& state,
                                   const Warn& warn) const;

    kernels::Device& device_;
    const Settings settings_; // as the user has them
    const Settings effect_;   // as pretraining has them
    Precision precision_;
    Pool pool_;
    Parameters params_;
    Autoencoder net_;
    Adversary adversary_;
    std::unique_ptr<const Perceptual> perceptual_; // null where it does not count
    Objective objective_;
    Optimizer optimizer_;
    BatchSource& training_;
    BatchSource* validation_;
    Batch batch_;
    Tensor report_;
    Tensor reports_;                   // of the batches of a step, where it has several
    Tensor share_;                     // of one batch in the step's mean
    Tensor state_;                     // bytes of a kernels::StepState
    Tensor kept_states_, kept_losses_; // of the last kReports steps, see kernels::NoteStep
    std::unique_ptr<Step> step_, validate_;
    std::int64_t steps_ = 0, reported_ = 0;
};

/// The settings that a checkpoint was made with. Throws Error(data) if it has none.
Settings settings_of(const Checkpoint& checkpoint);
/// The number of cpu threads that it was made with.
int threads_of(const Checkpoint& checkpoint);

} // namespace bifrons::model
