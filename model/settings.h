// model/settings.h - everything that a user may set about a model and its training.
//
// One table, settings_table.h (topic, name, member, range, help), drives the TOML file, --set key=value, the JSON in
// the checkpoint and the listing; defaults are the members' own. A new setting is a member and a row of the table. What
// a command makes of them: wanted_settings.h. Settings for a purpose: preset.h. Source of the defaults: DeepFaceLab's
// SAEHD.     Tests  tests/model/settings_test.cpp
#pragma once

#include "engine/optimizer.h"
#include "kernels/device/device.h"
#include "model/architecture.h"

#include <cstdint>
#include <string>
#include <vector>

namespace bifrons::model {

struct AdversaryOptions; // adversary.h

struct Settings {
    // the network: fixed when the model is made
    std::string archi = "liae-ud";
    std::int64_t resolution = 128;
    std::string face_type = "full";
    std::int64_t ae_dims = 256, e_dims = 64, d_dims = 64, d_mask_dims = 22;
    std::string downsample = "strided", upsample = "subpixel";
    std::int64_t seed = 1;
    double validation_fraction = 0.05;

    // the step
    std::int64_t batch_size = 8, accumulate = 1;
    std::string optimizer = "adabelief_dfl";
    double learning_rate = 5e-5, beta1 = -1, beta2 = -1, eps = -1, weight_decay = 0.01, clipgrad = 0;
    std::int64_t lr_warmup = 0, lr_decay_steps = 100000;
    std::string lr_schedule = "constant";
    double lr_floor = 0;
    bool lr_dropout = false;
    double ema = 0;
    double mse_weight = 10, dssim_weight = 10, mask_weight = 10;
    bool masked_training = true, eyes_mouth_prio = false;
    double perceptual_weight = 0;
    std::string perceptual_file = "", perceptual_taps = "";
    std::int64_t perceptual_downscale = 1;

    // adversarial training
    double gan_power = 0;
    std::string discriminator = "patch", gan_loss = "bce", gan_update = "simultaneous";
    std::int64_t gan_patch_size = 0, gan_dims = 16;
    double true_face_power = 0;
    double face_style_power = 0, bg_style_power = 0;

    // the samples
    bool random_warp = true;
    std::int64_t random_warp_steps = 0;
    bool random_src_flip = false, random_dst_flip = true, uniform_yaw = false, blur_out_mask = false;
    std::string ct_mode = "none";
    double rotation = 10, scale = 0.15, shift = 0.05, random_hsv_power = 0;

    // the run
    bool pretrain = false;
    std::string freeze = "";
    std::int64_t target_iter = 0, autobackup_hour = 0;
    bool write_preview_history = false;
    std::int64_t save_every = 500, keep = 3, keep_every = 0, preview_every = 500;
    std::int64_t threads = 0;
    std::string precision = "auto";

    bool operator==(const Settings&) const = default;
};

/// A row of the listing, in words. Rows of one topic follow each other.
struct SettingHelp {
    std::string topic, name, range, initial, help;
    bool fixed; ///< cannot change when training is resumed
};
std::vector<SettingHelp> list_settings();

/// A setting's value as the listing shows one. Throws Error(usage) on an unknown name.
std::string value_of(const Settings& settings, const std::string& name);

/// Applies "key=value" and returns the key. Throws Error(usage) on an unknown key, a value of another kind or one out
/// of range.
std::string apply_assignment(Settings& settings, const std::string& assignment);

/// Applies TOML of `key = value` lines and returns the keys; a preset's table `preset` is no setting. Throws
/// Error(usage) naming `origin` and line, as apply_assignment; Error(data) if it cannot be parsed.
std::vector<std::string> apply_toml(Settings& settings, const std::string& text, const std::string& origin);
/// The same of a file. Throws Error(data) as well if it cannot be read.
std::vector<std::string> apply_toml_file(Settings& settings, const std::string& path);

/// All settings as one JSON object, and back. `origin` names the text in errors: Error(data) on anything that
/// to_json() did not write. A setting that is missing keeps its default.
std::string to_json(const Settings& settings);
Settings from_json(const std::string& text, const std::string& origin);

/// The settings that a step goes by: pretraining overrides some.
Settings in_effect(const Settings& settings);

/// The blocks that do not learn.
std::vector<std::string> frozen_blocks(const Settings& settings);

/// What fixes the network's shape, as the model wants it.
Architecture architecture_of(const Settings& settings);

/// The updates and their schedule. -1 in beta1, beta2 or eps is the optimizer's own.
OptimizerOptions optimizer_of(const Settings& settings);

/// The discriminators that it wants; a patch size of 0 is an eighth of the resolution, or the nearest that fits.
AdversaryOptions adversary_of(const Settings& settings);

/// What `precision` means on a device. Throws Error(usage) for one that the device does not have.
Precision precision_of(const Settings& settings, kernels::Target target);

/// Rules that need more than one setting; ranges have been checked when they were applied. Throws Error(usage).
void check(const Settings& settings);

/// Throws Error(usage), naming each, if `wanted` changes what is fixed in a model that was made with `made`.
void check_resume(const Settings& made, const Settings& wanted);

} // namespace bifrons::model
