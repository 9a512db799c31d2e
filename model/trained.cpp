#include "model/trained.h"

#include "model/trainer.h"

#include <cstring>

namespace bifrons::model {

namespace {

/// A model may have been trained where more was to be had.
Precision predicting_precision(const Settings& settings, kernels::Target target)
{
    return target.kind == kernels::DeviceKind::cpu ? Precision::f32 : precision_of(settings, target);
}

} // namespace

TrainedModel::TrainedModel(kernels::Device& device, const Checkpoint& checkpoint)
    : step_(checkpoint.step), settings_(settings_of(checkpoint)),
      precision_(predicting_precision(settings_, device.target())), pool_(device),
      net_(params_, architecture_of(settings_))
{
    const std::vector<std::uint8_t> weights = read_arena(checkpoint.file, "", params_, DType::f32);
    params_.allocate_weights({&device, {}, {}}, DType::f32, pool_);
    device.copy({}, params_.weights().view().data, weights.data(), weights.size());
    if (precision_ == Precision::bf16) params_.allocate_packed(pool_);
    params_.pack({&device, {}, {}});
    device.synchronize({});
}

std::vector<std::uint8_t> read_arena(const SafetensorsFile& file, const std::string& prefix, const Parameters& params,
                                     DType dtype)
{
    const std::size_t element = kernels::dtype_bytes(dtype);
    std::vector<std::uint8_t> bytes(std::size_t(params.arena_size()) * element, 0);
    for (const Parameters::Entry& e : params.entries()) {
        const NamedTensor& t = file.at(prefix + e.name);
        BIFRONS_CHECK(data, t.dtype == dtype && t.size() == e.shape.size(), file.path(), ": \"", t.name, "\" has ",
                      t.size(), " elements of ", kernels::dtype_name(t.dtype), "; ", e.shape, " of ",
                      kernels::dtype_name(dtype), " expected. It is a checkpoint of another model.");
        std::memcpy(bytes.data() + std::size_t(e.offset) * element, t.data, t.bytes());
    }
    return bytes;
}

} // namespace bifrons::model
