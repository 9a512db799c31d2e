#include "tools/open_model.h"

#include "data/image.h"
#include "model/import/dfm.h"

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
                  ": does not exist; expected a model folder. `bifrons train` makes one.");
    if (!std::filesystem::is_directory(path)) return load_checkpoint(path);
    auto latest = load_latest_checkpoint(path, [&](const std::string& text) { console.warn(text); });
    BIFRONS_CHECK(data, latest, path, ": holds no checkpoint; expected a model folder. `bifrons train` makes one.");
    return std::move(*latest);
}

OpenedModel open_model(const std::string& path, kernels::Device& device, Console& console)
{
    if (data::lower_ending(path) != ".dfm") {
        const Checkpoint checkpoint = open_checkpoint(path, console);
        return {std::make_unique<model::TrainedModel>(device, checkpoint), checkpoint.file.path()};
    }
    const model::DfmModel dfm = model::read_dfm(path);
    const model::Settings& s = dfm.settings;
    console.say(str(path, ": ", s.archi, " ", s.resolution, " px, ", s.face_type,
                    dfm.says_face_type ? "" : ", as the file does not say otherwise"));
    return {std::make_unique<model::TrainedModel>(device, dfm), path};
}

std::optional<model::CodeMap> open_latent_map(const std::string& path, double strength, kernels::Device& device,
                                              const model::TrainedModel& model, Memory& memory, Console& console)
{
    namespace fs = std::filesystem;
    if (strength == 0) return {};
    BIFRONS_CHECK(usage, data::lower_ending(path) != ".dfm", "--latent-map: ", path,
                  ": a .dfm has no latent mapping; expected a model folder");
    const fs::path folder = fs::is_directory(path) ? fs::path(path) : fs::absolute(path).parent_path();
    const std::string file = model::latent_map_path(folder.string());
    BIFRONS_CHECK(data, fs::exists(file), file,
                  ": does not exist. `bifrons map` makes it from the model's two facesets.");
    const model::LatentMap map = model::load_latent_map(file, model.settings().ae_dims);
    if (map.step != model.step())
        console.warn(str(file, ": was fitted at step ", map.step, ", the model is at step ", model.step(),
                         "; run `bifrons map` again to refit it"));
    return model::code_map({&device, {}, {}}, memory, map, strength, model.precision());
}

} // namespace bifrons::tools
