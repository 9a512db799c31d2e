#include "model/wanted_settings.h"

#include "kernels/base/error.h"
#include "model/preset.h"

#include <algorithm>
#include <map>

namespace bifrons::model {

namespace {

/// Where the command names a setting; the later one wins.
enum class Origin { nowhere, preset, file, command_line };

/// A setting that has no effect while others are as they are.
struct Dependence {
    const char* name;
    std::vector<const char*> others; ///< any of them could give it an effect
    bool (*unused)(const Settings&);
    const char* remedy;
};

bool not_cosine(const Settings& s)
{
    return s.lr_schedule == "constant";
}

bool no_discriminator(const Settings& s)
{
    return s.gan_power == 0;
}

bool no_adversary(const Settings& s)
{
    return s.gan_power == 0 && s.true_face_power == 0;
}

bool no_perceptual(const Settings& s)
{
    return s.perceptual_weight == 0;
}

const Dependence kDependences[] = {
    {"weight_decay",
     {"optimizer"},
     [](const Settings& s) { return s.optimizer != "adamw" && s.weight_decay > 0; },
     "optimizer=adamw"},
    {"beta1", {"optimizer"}, [](const Settings& s) { return s.optimizer == "rmsprop"; }, "another optimizer"},
    {"lr_floor", {"lr_schedule"}, not_cosine, "lr_schedule=cosine"},
    {"lr_decay_steps", {"lr_schedule"}, not_cosine, "lr_schedule=cosine"},
    {"random_warp_steps", {"random_warp"}, [](const Settings& s) { return !s.random_warp; }, "random_warp=true"},
    {"gan_patch_size",
     {"discriminator"},
     [](const Settings& s) { return s.discriminator == "fc" && !no_discriminator(s); },
     "discriminator=patch"},
    {"gan_patch_size", {"gan_power"}, no_discriminator, "gan_power=0.1"},
    {"gan_dims", {"gan_power"}, no_discriminator, "gan_power=0.1"},
    {"discriminator", {"gan_power"}, no_discriminator, "gan_power=0.1"},
    {"gan_loss", {"gan_power", "true_face_power"}, no_adversary, "gan_power=0.1"},
    {"gan_update", {"gan_power", "true_face_power"}, no_adversary, "gan_power=0.1"},
    {"perceptual_file", {"perceptual_weight"}, no_perceptual, "perceptual_weight=1"},
    {"perceptual_taps", {"perceptual_weight"}, no_perceptual, "perceptual_weight=1"},
    {"perceptual_downscale", {"perceptual_weight"}, no_perceptual, "perceptual_weight=1"},
};

void check_used(const Settings& wanted, std::map<std::string, Origin> origin)
{
    for (const Dependence& d : kDependences) {
        const Origin named = origin[d.name];
        const bool meant =
            std::any_of(d.others.begin(), d.others.end(), [&](const char* other) { return origin[other] >= named; });
        if (named == Origin::nowhere || meant || !d.unused(wanted)) continue;
        const std::string other = d.others.front(), is = value_of(wanted, other);
        throw Error(ErrorKind::usage,
                    str("settings: ", d.name, " is ", value_of(wanted, d.name), ", which has no effect while ", other,
                        " is ", is, ". Set ", d.remedy, ", remove ", d.name, ", or set ", other, "=", is,
                        " explicitly to keep it unused."));
    }
}

} // namespace

Settings wanted_settings(const std::optional<Settings>& made, const NamedSettings& named)
{
    Settings wanted = made.value_or(Settings{});
    std::map<std::string, Origin> origin;
    const auto come_from = [&](Origin place, const std::vector<std::string>& names) {
        for (const std::string& name : names) origin[name] = place;
    };
    if (!named.preset.empty())
        come_from(Origin::preset, apply_toml(wanted, preset_named(named.preset).toml, "the preset " + named.preset));
    if (!named.config.empty()) come_from(Origin::file, apply_toml_file(wanted, named.config));
    for (const std::string& assignment : named.assignments)
        come_from(Origin::command_line, {apply_assignment(wanted, assignment)});
    check(wanted);
    if (made) check_resume(*made, wanted);
    check_used(wanted, origin);
    return wanted;
}

} // namespace bifrons::model
