// model/trained.h - the network of a checkpoint, ready to predict: weights alone, no gradients and no moments.
#pragma once

#include "engine/checkpoint.h"
#include "model/autoencoder.h"
#include "model/settings.h"

namespace bifrons::model {

struct DfmModel; // import/dfm.h

class TrainedModel {
  public:
    /// Copies the weights to the device, for the precision that the settings and the device call for; the checkpoint is
    /// not needed afterwards. Throws Error(data) if the checkpoint is not of `bifrons train` or lacks a parameter.
    TrainedModel(kernels::Device& device, const Checkpoint& checkpoint);
    /// Of a .dfm file's network, at step 0; the face of df's destination is not in it, and comes out grey.
    TrainedModel(kernels::Device& device, const DfmModel& dfm);
    TrainedModel(const TrainedModel&) = delete;
    TrainedModel& operator=(const TrainedModel&) = delete;

    const Settings& settings() const { return settings_; }
    const Autoencoder& network() const { return net_; }
    std::int64_t step() const { return step_; }
    Precision precision() const { return precision_; }
    /// Whether the weights are the averaged ones, which a checkpoint has if it was trained with `ema`.
    bool averaged() const { return averaged_; }

  private:
    TrainedModel(kernels::Device& device, const Settings& settings, std::int64_t step);
    /// The arena's bytes.
    void take(kernels::Device& device, const std::vector<std::uint8_t>& weights);

    const std::int64_t step_;
    const Settings settings_;
    const Precision precision_;
    Pool pool_;
    Parameters params_;
    Autoencoder net_;
    bool averaged_ = false;
};

/// What the names of a checkpoint's averaged weights begin with.
inline const char* const kAveragePrefix = "ema.";

/// What the names of an optimizer's moments begin with, before "m." or "v.". Rules with the same moments share it.
std::string moments_prefix(kernels::UpdateRule rule);

/// What a checkpoint says beside its tensors. threads: of the cpu.
Metadata checkpoint_metadata(const Settings& settings, const kernels::StepState& state, const Parameters& params,
                             int threads);
/// Under which it says how many updates were made before a group's first.
std::string begun_key(const Parameters::Group& group);

/// Whether the file has a tensor `prefix + name` of the right size for every parameter of the group.
bool holds(const SafetensorsFile& file, const std::string& prefix, const Parameters& params,
           const Parameters::Group& group);

/// The parameter's tensor `prefix + name`, in the parameter's shape. Throws Error(data) if it is missing or has another
/// size or type.
NamedTensor parameter(const SafetensorsFile& file, const std::string& prefix, const Parameters::Entry& entry,
                      DType dtype);

/// Writes each of the group's tensors `prefix + name` to its place in an arena's bytes. Throws as parameter()
/// does.
void read_group(const SafetensorsFile& file, const std::string& prefix, const Parameters& params,
                const Parameters::Group& group, DType dtype, std::vector<std::uint8_t>& arena);

} // namespace bifrons::model
