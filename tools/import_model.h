// tools/import_model.h - `bifrons import` of a model. Tests tests/tools/import_model_test.cpp
#pragma once

#include "data/import/deepfacelab_model.h"
#include "tools/console.h"

namespace bifrons::tools {

/// The one of this name, NAME or NAME_SAEHD; without a name the only one. Throws Error(usage) where that is none or
/// several.
const data::DflModelFiles& chosen_model(const std::vector<data::DflModelFiles>& models, const std::string& name);

/// Makes the folder `out` a model folder with one checkpoint of DeepFaceLab's model. Throws Error(usage) where it holds
/// a model and overwrite is not set, or other files; Error(data) for a model that cannot be used, and then nothing is
/// written; Interrupted.
void import_model(const data::DflModelFiles& files, const std::string& out, bool overwrite, Console& console);

} // namespace bifrons::tools
