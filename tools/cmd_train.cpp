#include "model/preset.h"
#include "model/trainer.h"
#include "tools/commands.h"
#include "tools/open_model.h"
#include "tools/options.h"
#include "tools/training_data.h"
#include "tools/training_run.h"

#include <filesystem>

namespace bifrons::tools {

namespace {

namespace fs = std::filesystem;
using model::Settings;

struct Options : TrainingOptions {
    bool list_settings = false, print = false;
};

void list_settings(Console& console)
{
    Json list = Json::array();
    std::string text, topic;
    for (const model::SettingHelp& s : model::list_settings()) {
        if (s.topic != topic) text += str(topic.empty() ? "" : "\n", "# ", topic = s.topic, "\n");
        text += str(s.name, " = ", s.initial, "   ", s.range, s.fixed ? "   (fixed once the model is made)" : "",
                    "\n    ", s.help, "\n");
        list.push_back({{"topic", s.topic},
                        {"name", s.name},
                        {"default", s.initial},
                        {"range", s.range},
                        {"fixed", s.fixed},
                        {"help", s.help}});
    }
    console.result(text, {{"settings", list}});
}

void print_preset(const std::string& name, Console& console)
{
    BIFRONS_CHECK(usage, !name.empty(), "--print needs the name of a preset. Add --preset NAME.");
    const model::Preset& preset = model::preset_named(name);
    console.result(preset.toml, {{"preset", preset.name}, {"toml", preset.toml}});
}

/// The options with the preset that a new model takes when no settings are named.
Options with_default_preset(Options o, const kernels::Device& device, Console& console)
{
    const model::Preset& preset = model::default_preset(device.kind(), device.free_bytes());
    o.named.preset = preset.name;
    console.say(str("preset ", preset.name, ": ", preset.purpose,
                    " (the default for this device; `bifrons train --help` lists the others)"));
    return o;
}

void train_command(Options o, Console& console)
{
    if (o.list_settings) return list_settings(console);
    if (o.print) return print_preset(o.named.preset, console);
    for (const auto& [name, value] : {std::pair{"--src", o.src}, {"--dst", o.dst}, {"--model", o.folder}})
        BIFRONS_CHECK(usage, !value.empty(), name, " is missing. See `bifrons train --help`.");
    // Refused before the folder is made or locked: settings and facesets that cannot work.
    const auto warn = [&](const std::string& text) { console.warn(text); };
    std::optional<Checkpoint> latest;
    if (fs::exists(o.folder)) latest = load_latest_checkpoint(o.folder, warn);
    const std::optional<Settings> made = latest ? std::optional(model::settings_of(*latest)) : std::nullopt;
    BIFRONS_CHECK(usage,
                  made || !o.init_from.empty() || o.named.preset.empty() ||
                      !model::preset_named(o.named.preset).for_trained_models(),
                  "--preset ", o.named.preset, " is for a trained model, and ", o.folder,
                  " holds none. Train it with another preset first.");
    const auto device = open_device(o.device, console);
    if (!made && o.named.none()) o = with_default_preset(o, *device, console);
    const Settings settings = model::wanted_settings(made, o.named);
    data::Faceset src = usable_faceset(o.src, console), dst = usable_faceset(o.dst, console);
    CheckpointStore store(o.folder, {.last = int(settings.keep), .every = settings.keep_every});
    train(o, console, *device, settings, store, latest, std::move(src), std::move(dst));
}

} // namespace

Work declare_train(CLI::App& app)
{
    const auto options = std::make_shared<Options>();
    text(app, "--src", options->src, "FACESET", "source: the face to put on; made by `bifrons extract`, or its pack");
    text(app, "--dst", options->dst, "FACESET", "destination: the face to replace");
    text(app, "--model", options->folder, "FOLDER", "model folder; training resumes if it holds a model");
    settings_options(app, options->named);
    flag(app, "--print", options->print, "print the preset as a TOML file for --config, and exit");
    flag(app, "--list-settings", options->list_settings,
         "list all settings by topic, with default, range and meaning, and exit");
    text(app, "--init-from", options->init_from, "MODEL",
         "initialise a new model with the weights of this one: a model folder or a checkpoint");
    text(app, "--init-blocks", options->init_blocks, "BLOCK,...", "with --init-from: only these blocks");
    text(app, "--reset", options->reset, "BLOCK,...", "reinitialise these blocks on this run, e.g. inter_AB");
    number<std::int64_t>(app, "--steps", options->steps, 0, std::int64_t(1) << 40,
                         "stop at this step, those of earlier runs included; 0: no limit");
    number<double>(app, "--minutes", options->minutes, 0, 1e6, "stop after this many minutes; 0: no limit");
    text(app, "--tensorboard", options->tensorboard, "FOLDER",
         "also write losses, learning rate, speed and previews as event files for TensorBoard");
    flag(app, "--verify", options->verify, "refuse facesets with pictures that were changed since extraction");
#if BIFRONS_HAS_MEDIA
    text(app, "--preview-frame", options->preview_frame, "FILE",
         "with each preview also replace the face in this picture, or in the first frame of this video that shows one: "
         "preview-frame.png in the model's folder");
#endif
    device_option(app, options->device);
    return [options](Console& console) { train_command(*options, console); };
}

} // namespace bifrons::tools
