// model/preset.h - settings for a purpose, each a TOML file in model/presets/ that is compiled in.
//
// A new preset: its file, which says in a table `preset` what it is for, and its name in model/CMakeLists.txt.
//     Tests  tests/model/preset_test.cpp
#pragma once

#include "kernels/device/device.h"

#include <cstdint>
#include <string>
#include <vector>

namespace bifrons::model {

struct Preset {
    std::string name, toml; ///< its file's text
    std::string purpose;    ///< one line
    std::int64_t steps = 0; ///< until a face is usable; 0: for models that have been trained
    std::string basis;      ///< where that number comes from
    double gpu_gib = -1;    ///< free memory of a GPU from which on a new model takes it unasked; -1: never

    bool for_trained_models() const { return steps == 0; }
};

/// In the order of the help.
const std::vector<Preset>& presets();

/// Throws Error(usage), with the nearest name, if there is none of this name.
const Preset& preset_named(const std::string& name);

/// What a new model takes when no settings are named: the largest that the GPU has memory for; elsewhere `cpu`.
const Preset& default_preset(kernels::DeviceKind device, std::size_t free_bytes);

} // namespace bifrons::model
