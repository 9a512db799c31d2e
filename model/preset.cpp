#include "model/preset.h"

#include "kernels/base/error.h"
#include "kernels/base/suggest.h"
#include "model/preset_files.h"

#include <toml++/toml.h>

namespace bifrons::model {

namespace {

Preset read(const PresetFile& file)
{
    const toml::table table = toml::parse(file.toml);
    const auto& about = *table["preset"].as_table();
    return {.name = file.name,
            .toml = file.toml,
            .purpose = about["purpose"].value_or(std::string()),
            .steps = about["steps"].value_or(std::int64_t(0)),
            .basis = about["basis"].value_or(std::string()),
            .gpu_gib = about["gpu_gib"].value_or(-1.0)};
}

} // namespace

const std::vector<Preset>& presets()
{
    static const std::vector<Preset> all = [] {
        std::vector<Preset> list;
        for (const PresetFile& file : preset_files()) list.push_back(read(file));
        return list;
    }();
    return all;
}

const Preset& preset_named(const std::string& name)
{
    std::vector<std::string> names;
    for (const Preset& preset : presets()) {
        if (preset.name == name) return preset;
        names.push_back(preset.name);
    }
    const std::string hint = did_you_mean(name, names);
    throw Error(ErrorKind::usage,
                str("unknown preset \"", name, "\"", hint.empty() ? "." : hint, " `bifrons train --help` lists them."));
}

const Preset& default_preset(kernels::DeviceKind device, std::size_t free_bytes)
{
    if (device != kernels::DeviceKind::cuda) return preset_named("cpu");
    const double free_gib = double(free_bytes) / (1 << 30);
    const Preset* largest = nullptr;
    for (const Preset& preset : presets())
        if (preset.gpu_gib >= 0 && preset.gpu_gib <= free_gib && (!largest || preset.gpu_gib > largest->gpu_gib))
            largest = &preset;
    return *largest; // one asks for none
}

} // namespace bifrons::model
