// model/wanted_settings.h - the settings that a command asks for: a model's own, over them a preset's, a file's, and
// the command line's.     Tests  tests/model/settings_test.cpp
#pragma once

#include "model/settings.h"

#include <optional>

namespace bifrons::model {

/// What a command names; empty where it names none.
struct NamedSettings {
    std::string preset = "", config = ""; ///< of preset.h; a TOML file
    std::vector<std::string> assignments = {};

    bool none() const { return preset.empty() && config.empty() && assignments.empty(); }
};

/// made: the model's own; empty for a new model. Throws Error as preset_named, apply_toml_file, apply_assignment, check
/// and check_resume do, and Error(usage) for a setting without effect: the command names it, whatever its value,
/// another one disables it (gan_dims while gan_power is 0), and that other is not named in the same place or a later
/// one. So a file may list all settings, or keep gan_dims beside gan_power = 0, and optimizer=rmsprop may override a
/// file that has adamw's weight_decay. What is only in the model may be unused.
Settings wanted_settings(const std::optional<Settings>& made, const NamedSettings& named);

} // namespace bifrons::model
