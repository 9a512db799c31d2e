// model/preset_files.h - the files of model/presets/, in the order of model/CMakeLists.txt.
#pragma once

#include <vector>

namespace bifrons::model {

struct PresetFile {
    const char *name, *toml;
};
const std::vector<PresetFile>& preset_files();

} // namespace bifrons::model
