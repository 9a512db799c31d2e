#include "model/trained.h"

#include "model/import/dfm.h"
#include "model/trainer.h"

#include <algorithm>
#include <cstring>
#include <map>

namespace bifrons::model {

namespace {

/// A model may have been trained on another device: but for f32, a cpu does what it does best.
Precision predicting_precision(const Settings& settings, kernels::Target target)
{
    const bool cpu = target.kind == kernels::DeviceKind::cpu;
    return precision_of(cpu && settings.precision != "f32" ? Settings() : settings, target);
}

} // namespace

TrainedModel::TrainedModel(kernels::Device& device, const Settings& settings, std::int64_t step)
    : step_(step), settings_(settings), precision_(predicting_precision(settings_, device.target())), pool_(device),
      net_(params_, architecture_of(settings_))
{
}

TrainedModel::TrainedModel(kernels::Device& device, const Checkpoint& checkpoint)
    : TrainedModel(device, settings_of(checkpoint), checkpoint.step)
{
    const Parameters::Group& all = params_.groups().front();
    averaged_ = holds(checkpoint.file, kAveragePrefix, params_, all);
    std::vector<std::uint8_t> weights(std::size_t(params_.arena_size()) * sizeof(float), 0);
    read_group(checkpoint.file, averaged_ ? kAveragePrefix : "", params_, all, DType::f32, weights);
    take(device, weights);
}

TrainedModel::TrainedModel(kernels::Device& device, const DfmModel& dfm) : TrainedModel(device, dfm.settings, 0)
{
    std::vector<std::uint8_t> weights(std::size_t(params_.arena_size()) * sizeof(float), 0);
    for (const Parameters::Entry& e : params_.entries()) {
        const auto found = dfm.weights.find(e.name);
        if (found == dfm.weights.end()) continue;
        std::memcpy(weights.data() + std::size_t(e.offset) * sizeof(float), found->second.data(),
                    found->second.size() * sizeof(float));
    }
    take(device, weights);
}

void TrainedModel::take(kernels::Device& device, const std::vector<std::uint8_t>& weights)
{
    params_.allocate_weights({&device, {}, {}}, DType::f32, pool_);
    device.upload({}, params_.weights().view().data, weights.data(), weights.size());
    if (precision_ == Precision::bf16) params_.allocate_packed(pool_);
    params_.pack({&device, {}, {}});
    device.synchronize({});
}

std::string moments_prefix(kernels::UpdateRule rule)
{
    switch (rule) {
    case kernels::UpdateRule::adam:
        return "adam.";
    case kernels::UpdateRule::adabelief:
    case kernels::UpdateRule::adabelief_dfl:
        return "adabelief.";
    case kernels::UpdateRule::rmsprop:
        return "rmsprop.";
    }
    return "";
}

std::string begun_key(const Parameters::Group& group)
{
    return "begun." + group.name;
}

Metadata checkpoint_metadata(const Settings& settings, const kernels::StepState& state, const Parameters& params,
                             int threads)
{
    Metadata metadata = {{"settings", to_json(settings)},
                         {"seed", str(state.seed)},
                         {"applied", str(state.applied)},
                         {"bad_steps", str(state.bad_steps)},
                         {"threads", str(threads)}};
    for (std::size_t i = 0; i < params.groups().size(); ++i)
        metadata[begun_key(params.groups()[i])] = str(state.begun[i]);
    return metadata;
}

bool holds(const SafetensorsFile& file, const std::string& prefix, const Parameters& params,
           const Parameters::Group& group)
{
    std::map<std::string, std::int64_t> sizes;
    for (const NamedTensor& t : file.tensors()) sizes[t.name] = t.size();
    return std::all_of(params.entries().begin(), params.entries().end(), [&](const Parameters::Entry& e) {
        if (e.offset < group.begin || e.offset >= group.end) return true;
        const auto it = sizes.find(prefix + e.name);
        return it != sizes.end() && it->second == e.shape.size();
    });
}

NamedTensor parameter(const SafetensorsFile& file, const std::string& prefix, const Parameters::Entry& entry,
                      DType dtype)
{
    NamedTensor tensor = file.at(prefix + entry.name);
    BIFRONS_CHECK(data, tensor.dtype == dtype && tensor.size() == entry.shape.size(), file.path(), ": \"", tensor.name,
                  "\" has ", tensor.size(), " elements of ", kernels::dtype_name(tensor.dtype), "; expected ",
                  entry.shape, " of ", kernels::dtype_name(dtype), ". It is a checkpoint of another model.");
    tensor.shape.clear();
    for (int i = 0; i < entry.shape.rank(); ++i) tensor.shape.push_back(entry.shape[i]);
    return tensor;
}

void read_group(const SafetensorsFile& file, const std::string& prefix, const Parameters& params,
                const Parameters::Group& group, DType dtype, std::vector<std::uint8_t>& arena)
{
    for (const Parameters::Entry& e : params.entries()) {
        if (e.offset < group.begin || e.offset >= group.end) continue;
        const NamedTensor tensor = parameter(file, prefix, e, dtype);
        std::memcpy(arena.data() + std::size_t(e.offset) * kernels::dtype_bytes(dtype), tensor.data, tensor.bytes());
    }
}

} // namespace bifrons::model
