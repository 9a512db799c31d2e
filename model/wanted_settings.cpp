#include "model/wanted_settings.h"

#include "kernels/base/error.h"

#include <map>

namespace bifrons::model {

namespace {

/// Who named a setting last.
enum class Origin { nobody, model, file, command_line };

/// A setting that does nothing while another is as it is.
struct Dependence {
    const char *name, *other;
    bool (*idle)(const Settings&);
    const char* remedy;
    bool other_is_switch; ///< whose default is off: whoever names it knows that it is off
};

const Dependence kDependences[] = {
    {"weight_decay", "optimizer", [](const Settings& s) { return s.optimizer != "adamw" && s.weight_decay > 0; },
     "optimizer=adamw", false},
    {"beta1", "optimizer", [](const Settings& s) { return s.optimizer == "rmsprop"; }, "another optimizer", false},
    {"lr_floor", "lr_schedule", [](const Settings& s) { return s.lr_schedule == "constant"; }, "lr_schedule=cosine",
     false},
    {"lr_decay_steps", "lr_schedule", [](const Settings& s) { return s.lr_schedule == "constant"; },
     "lr_schedule=cosine", false},
    {"gan_patch_size", "discriminator", [](const Settings& s) { return s.discriminator == "fc"; },
     "discriminator=patch", false},
    {"gan_patch_size", "gan_power", [](const Settings& s) { return s.gan_power == 0; }, "gan_power=0.1", true},
    {"gan_dims", "gan_power", [](const Settings& s) { return s.gan_power == 0; }, "gan_power=0.1", true},
    {"discriminator", "gan_power", [](const Settings& s) { return s.gan_power == 0; }, "gan_power=0.1", true},
    {"gan_loss", "gan_power", [](const Settings& s) { return s.gan_power + s.true_face_power == 0; }, "gan_power=0.1",
     true},
    {"gan_update", "gan_power", [](const Settings& s) { return s.gan_power + s.true_face_power == 0; }, "gan_power=0.1",
     true},
    {"perceptual_file", "perceptual_weight", [](const Settings& s) { return s.perceptual_weight == 0; },
     "perceptual_weight=1", true},
    {"perceptual_taps", "perceptual_weight", [](const Settings& s) { return s.perceptual_weight == 0; },
     "perceptual_weight=1", true},
    {"perceptual_downscale", "perceptual_weight", [](const Settings& s) { return s.perceptual_weight == 0; },
     "perceptual_weight=1", true},
};

void check_used(const Settings& wanted, std::map<std::string, Origin> origin)
{
    const Settings initial;
    for (const Dependence& d : kDependences) {
        const std::string value = value_of(wanted, d.name);
        const bool named = origin[d.name] >= Origin::file && value != value_of(initial, d.name);
        const bool settled = d.other_is_switch ? origin[d.other] > Origin::nobody : origin[d.other] > origin[d.name];
        BIFRONS_CHECK(usage, !named || settled || !d.idle(wanted), "settings: ", d.name, " is ", value,
                      ", which does nothing while ", d.other, " is ", value_of(wanted, d.other), "; set ", d.remedy,
                      d.other_is_switch ? str(", or ", d.other, "=0 to do without") : str(" or leave ", d.name, " out"),
                      ".");
    }
}

} // namespace

Settings wanted_settings(const std::optional<Settings>& made, const std::string& config,
                         const std::vector<std::string>& assignments)
{
    Settings wanted = made.value_or(Settings{});
    std::map<std::string, Origin> origin;
    if (made)
        for (const SettingHelp& row : list_settings()) origin[row.name] = Origin::model;
    if (!config.empty())
        for (const std::string& name : apply_toml_file(wanted, config)) origin[name] = Origin::file;
    for (const std::string& assignment : assignments)
        origin[apply_assignment(wanted, assignment)] = Origin::command_line;
    check(wanted);
    if (made) check_resume(*made, wanted);
    check_used(wanted, origin);
    return wanted;
}

} // namespace bifrons::model
