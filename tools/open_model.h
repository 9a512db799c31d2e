// tools/open_model.h - the device and the model that a command's options name.
#pragma once

#include "engine/checkpoint.h"
#include "model/latent_transfer.h"
#include "tools/console.h"

#include <memory>
#include <optional>

namespace bifrons::tools {

/// --device, "auto" included; says which it is. Throws Error(device).
std::unique_ptr<kernels::Device> open_device(const std::string& name, Console& console);

/// --model: a folder's newest intact checkpoint, or a checkpoint file. Throws Error(data) if there is none.
Checkpoint open_checkpoint(const std::string& path, Console& console);

/// A network that is ready, and the file that it came from.
struct OpenedModel {
    std::unique_ptr<model::TrainedModel> model;
    std::string file;
};
/// --model of `merge`: as open_checkpoint(), or a .dfm file. Throws Error(data).
OpenedModel open_model(const std::string& path, kernels::Device& device, Console& console);

/// --latent-map: the latent mapping that `bifrons map` saved for the model of that path, at this strength; empty at 0.
/// Throws Error(data) if it does not exist or belongs to another model.
std::optional<model::CodeMap> open_latent_map(const std::string& path, double strength, kernels::Device& device,
                                              const model::TrainedModel& model, Memory& memory, Console& console);

} // namespace bifrons::tools
