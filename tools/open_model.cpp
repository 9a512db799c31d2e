#include "tools/open_model.h"

#include <filesystem>

namespace bifrons::tools {

std::unique_ptr<kernels::Device> open_device(const std::string& name, Console& console)
{
    if (name == "auto") {
        const kernels::DeviceChoice choice = kernels::choose_device();
        auto device = kernels::open_device(choice.name);
        console.say(str("device ", device->describe(), " (", choice.why, ")"));
        return device;
    }
    auto device = kernels::open_device(name);
    console.say("device " + device->describe());
    return device;
}

Checkpoint open_checkpoint(const std::string& path, Console& console)
{
    BIFRONS_CHECK(data, std::filesystem::exists(path), path,
                  ": does not exist; the folder of a model expected. `bifrons train` makes one.");
    if (!std::filesystem::is_directory(path)) return load_checkpoint(path);
    auto latest = load_latest_checkpoint(path, [&](const std::string& text) { console.warn(text); });
    BIFRONS_CHECK(data, latest, path,
                  ": holds no checkpoint; the folder of a model expected. `bifrons train` makes one.");
    return std::move(*latest);
}

} // namespace bifrons::tools
