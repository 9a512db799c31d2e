// model/wanted_settings.h - the settings that a command asks for: a model's own, over them a file's, over both the
// command line's.     Tests  tests/model/settings_test.cpp
#pragma once

#include "model/settings.h"

#include <optional>

namespace bifrons::model {

/// made: the model's own; empty for a new model. config: a TOML file, or empty. Throws Error as apply_toml_file,
/// apply_assignment, check and check_resume do, and Error(usage) for a setting that the command names in vain: because
/// of another, it would do nothing. What is in the model already may lie idle, and so may a setting whose other was
/// named behind it (optimizer=rmsprop over a file with adamw's weight_decay), or switched off by name (gan_power=0).
Settings wanted_settings(const std::optional<Settings>& made, const std::string& config,
                         const std::vector<std::string>& assignments);

} // namespace bifrons::model
