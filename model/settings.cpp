#include "model/settings.h"

#include "kernels/base/error.h"
#include "kernels/base/words.h"
#include "kernels/conv2d/conv2d.h"
#include "model/adversary_options.h"
#include "model/taps.h"

#include <algorithm>

namespace bifrons::model {

Settings in_effect(const Settings& s)
{
    Settings e = s;
    if (!s.pretrain) return e;
    e.random_warp = e.lr_dropout = false;
    e.random_src_flip = e.random_dst_flip = true;
    e.uniform_yaw = true;
    e.ct_mode = "none";
    e.random_hsv_power = e.gan_power = e.true_face_power = e.face_style_power = e.bg_style_power = 0;
    return e;
}

std::vector<std::string> frozen_blocks(const Settings& s)
{
    std::vector<std::string> blocks = split(s.freeze);
    std::erase(blocks, "");
    if (!s.random_warp && !s.pretrain && architecture_of(s).liae) blocks.push_back("inter_AB");
    return blocks;
}

Architecture architecture_of(const Settings& s)
{
    const std::string flags = s.archi.substr(std::min(s.archi.find('-'), s.archi.size()));
    const auto has = [&](char flag) { return flags.find(flag) != std::string::npos; };
    Architecture a;
    a.resolution = int(s.resolution);
    a.liae = s.archi.rfind("liae", 0) == 0;
    a.u = has('u'), a.d = has('d'), a.t = has('t'), a.c = has('c');
    a.e_dims = int(s.e_dims);
    a.ae_dims = int(s.ae_dims);
    a.d_dims = int(s.d_dims);
    a.d_mask_dims = int(s.d_mask_dims);
    a.downsample = s.downsample == "maxpool" ? Downsample::maxpool : Downsample::strided;
    a.upsample = s.upsample == "nearest"      ? Upsample::nearest
                 : s.upsample == "transposed" ? Upsample::transposed
                                              : Upsample::subpixel;
    return a;
}

OptimizerOptions optimizer_of(const Settings& s)
{
    using kernels::UpdateRule;
    const bool belief = s.optimizer.rfind("adabelief", 0) == 0, rms = s.optimizer == "rmsprop";
    const UpdateRule rule = rms                              ? UpdateRule::rmsprop
                            : s.optimizer == "adabelief"     ? UpdateRule::adabelief
                            : s.optimizer == "adabelief_dfl" ? UpdateRule::adabelief_dfl
                                                             : UpdateRule::adam;
    const auto given = [](double setting, double own) { return float(setting == -1 ? own : setting); };
    return {.update = {.rule = rule,
                       .beta1 = given(s.beta1, belief ? 0.9 : 0.5),
                       .beta2 = given(s.beta2, rms ? 0.9 : 0.999),
                       .eps = given(s.eps, s.optimizer == "adabelief" ? 1e-16
                                           : rule == UpdateRule::adam ? 1e-8
                                                                      : 1e-6),
                       .decay = s.optimizer == "adamw" ? float(s.weight_decay) : 0.0f,
                       .clip = float(s.clipgrad),
                       .keep = s.lr_dropout ? 0.3f : 1.0f,
                       .average_decay = float(s.ema)},
            .schedule = {.warmup = s.lr_warmup,
                         .fall_steps = s.lr_schedule == "cosine" ? s.lr_decay_steps : 0,
                         .floor = float(s.lr_floor),
                         .period = s.lr_dropout ? 500 : 0}};
}

AdversaryOptions adversary_of(const Settings& s)
{
    using Loss = AdversaryOptions::Loss;
    AdversaryOptions o;
    o.kind = s.discriminator == "fc" ? AdversaryOptions::Kind::fc : AdversaryOptions::Kind::patch;
    o.loss = s.gan_loss == "hinge" ? Loss::hinge : s.gan_loss == "bce" ? Loss::bce : Loss::least_squares;
    o.gan_power = float(s.gan_power);
    o.true_face_power = float(s.true_face_power);
    o.patch = s.gan_patch_size > 0 ? int(s.gan_patch_size) : fitting_patch(int(s.resolution) / 8, int(s.resolution));
    o.dims = int(s.gan_dims);
    return o;
}

Precision precision_of(const Settings& s, kernels::Target target)
{
    if (s.precision == "auto") return kernels::prefers_bf16(target) ? Precision::bf16 : Precision::f32;
    BIFRONS_CHECK(usage, target.kind != kernels::DeviceKind::cpu || s.precision != "tf32",
                  "settings: precision is tf32, which a CPU does not have. Use auto, f32 or bf16, or a GPU.");
    return s.precision == "bf16" ? Precision::bf16 : s.precision == "tf32" ? Precision::tf32 : Precision::f32;
}

void check(const Settings& s)
{
    architecture_of(s).check();
    adversary_of(s).check(architecture_of(s));
    BIFRONS_CHECK(usage, s.eps > 0 || s.eps == -1, "settings: eps is ", s.eps,
                  "; expected more than 0, or -1 for the optimizer's default");
    for (const auto& [name, value] : {std::pair{"beta1", s.beta1}, {"beta2", s.beta2}})
        BIFRONS_CHECK(usage, value >= 0 || value == -1, "settings: ", name, " is ", value,
                      "; expected at least 0, or -1 for the optimizer's default");
    BIFRONS_CHECK(usage, s.mse_weight + s.dssim_weight > 0,
                  "settings: mse_weight and dssim_weight are both 0; expected at least one above 0, else the network "
                  "would learn nothing about the face");
    BIFRONS_CHECK(usage, s.perceptual_weight == 0 || !s.perceptual_file.empty(), "settings: perceptual_weight is ",
                  s.perceptual_weight,
                  ", but perceptual_file names no file. docs/trainer.md says where to get one; nothing is "
                  "downloaded automatically.");
    BIFRONS_CHECK(usage, s.resolution % s.perceptual_downscale == 0, "settings: perceptual_downscale is ",
                  s.perceptual_downscale, ", which does not divide resolution ", s.resolution,
                  "; expected a divisor, such as 1, 2 or 4");
    const std::vector<Tap> taps = parse_taps(s.perceptual_taps);
    double weights = 0;
    for (const Tap& tap : taps) weights += tap.weight;
    BIFRONS_CHECK(usage, taps.empty() || weights > 0, "settings: perceptual_taps is \"", s.perceptual_taps,
                  "\", whose weights are all 0; expected one above 0");
}

} // namespace bifrons::model
