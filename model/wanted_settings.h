// model/wanted_settings.h - the settings that a command asks for: a model's own, over them a file's, over both the
// command line's.     Tests  tests/model/settings_test.cpp
#pragma once

#include "model/settings.h"

#include <optional>

namespace bifrons::model {

/// made: the model's own; empty for a new model. config: a TOML file, or empty. Throws Error as apply_toml_file,
/// apply_assignment, check and check_resume do, and Error(usage) for a setting that is named in vain: the command names
/// it, whatever its value, another makes it do nothing (gan_dims while gan_power is 0), and that other is not named in
/// the same place or behind it. So a file may list all settings, or keep gan_dims beside gan_power = 0, and
/// optimizer=rmsprop may stand over a file with adamw's weight_decay. What is only in the model may lie idle.
Settings wanted_settings(const std::optional<Settings>& made, const std::string& config,
                         const std::vector<std::string>& assignments);

} // namespace bifrons::model
