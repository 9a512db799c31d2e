// tools/open_model.h - the device and the model that a command's options name.
#pragma once

#include "engine/checkpoint.h"
#include "kernels/device/device.h"
#include "tools/console.h"

#include <memory>

namespace bifrons::tools {

/// --device, "auto" included; says which it is. Throws Error(device).
std::unique_ptr<kernels::Device> open_device(const std::string& name, Console& console);

/// --model: a folder's newest whole checkpoint, or a checkpoint file. Throws Error(data) if there is none.
Checkpoint open_checkpoint(const std::string& path, Console& console);

} // namespace bifrons::tools
