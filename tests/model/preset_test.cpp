#include "model/preset.h"

#include "kernels/base/error.h"
#include "model/wanted_settings.h"
#include "tests/support/temp_folder.h"

#include <algorithm>

using namespace bifrons;
using namespace bifrons::model;
using namespace bifrons::test;

namespace {

Settings settings_with(const NamedSettings& named, const std::optional<Settings>& made = {})
{
    return wanted_settings(made, named);
}

TEST(Presets, are_legal_and_set_nothing_without_effect)
{
    for (const Preset& preset : presets()) EXPECT_NO_THROW(settings_with({.preset = preset.name})) << preset.name;
}

TEST(Presets, say_what_they_are_for_and_how_long_a_face_takes)
{
    for (const Preset& preset : presets()) {
        EXPECT_EQ(preset.toml.rfind("# " + preset.name + ": ", 0), 0u) << preset.toml;
        EXPECT_GT(preset.purpose.size(), 10u) << preset.name;
        EXPECT_EQ(preset.for_trained_models(), preset.basis.empty()) << preset.name << ": steps without their source";
    }
}

TEST(Presets, printed_are_files_for_config)
{
    TempFolder folder;
    for (const Preset& preset : presets()) {
        write_bytes(folder / "printed.toml", preset.toml);
        EXPECT_EQ(settings_with({.config = folder / "printed.toml"}), settings_with({.preset = preset.name}))
            << preset.name;
    }
}

TEST(Presets, for_trained_models_change_nothing_of_the_network)
{
    ASSERT_TRUE(preset_named("finish").for_trained_models());
    for (const Preset& preset : presets()) {
        if (!preset.for_trained_models()) continue;
        for (const Preset& other : presets()) {
            const Settings made = settings_with({.preset = other.name});
            EXPECT_NO_THROW(settings_with({.preset = preset.name}, made)) << preset.name << " over " << other.name;
        }
    }
    const Settings made = settings_with({.preset = "cpu"}), finish = settings_with({.preset = "finish"}, made);
    EXPECT_FALSE(finish.random_warp);
    EXPECT_TRUE(finish.lr_dropout);
    EXPECT_EQ(finish.gan_power, 0.1);
    EXPECT_EQ(finish.batch_size, made.batch_size);
}

TEST(Presets, are_overridden_by_the_file_and_the_file_by_the_command_line)
{
    TempFolder folder;
    write_bytes(folder / "s.toml", "batch_size = 3\nlearning_rate = 1e-4\n");
    Settings made;
    made.clipgrad = 1;
    const Settings s = settings_with(
        {.preset = "saehd-128", .config = folder / "s.toml", .assignments = {"learning_rate=2e-4"}}, made);
    EXPECT_EQ(s.clipgrad, 1) << "the model's own";
    EXPECT_EQ(s.optimizer, "adabelief_dfl") << "the preset's";
    EXPECT_EQ(s.batch_size, 3) << "the file's";
    EXPECT_EQ(s.learning_rate, 2e-4) << "the command line's";
}

TEST(Presets, of_another_network_do_not_change_a_model)
{
    const Settings made = settings_with({.preset = "cpu"});
    EXPECT_THROW(settings_with({.preset = "saehd-128"}, made), Error);
}

TEST(Presets, unknown_names_are_refused_with_the_nearest)
{
    try {
        preset_named("cpu-fsat");
        ADD_FAILURE() << "taken";
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::usage);
        EXPECT_STREQ(e.what(),
                     "unknown preset \"cpu-fsat\"; did you mean \"cpu-fast\"? `bifrons train --help` lists them.");
    }
}

TEST(Presets, by_default_follow_the_device)
{
    using kernels::DeviceKind;
    const auto with_gib = [](double gib) {
        return default_preset(DeviceKind::cuda, std::size_t(gib * (1 << 30))).name;
    };
    EXPECT_EQ(default_preset(DeviceKind::cpu, std::size_t(1) << 40).name, "cpu");
    EXPECT_EQ(with_gib(1), "quick96");
    EXPECT_EQ(with_gib(6), "saehd-128");
    EXPECT_EQ(with_gib(24), "saehd-256");
}

} // namespace
