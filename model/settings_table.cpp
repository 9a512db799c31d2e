#include "model/settings_table.h"

#include "kernels/base/error.h"
#include "kernels/base/suggest.h"
#include "kernels/conv2d/conv2d.h"
#include "model/taps.h"

#include <algorithm>
#include <charconv>

namespace bifrons::model {

namespace {

using Words = std::vector<std::string>;

constexpr double kMost = 1e9;
constexpr bool kFixed = true, kFree = false;

/// "df" or "liae" and, behind a dash, every combination of u, d, t and c in this order.
Words architectures()
{
    Words names;
    for (const std::string base : {"df", "liae"})
        for (int bits = 0; bits < 16; ++bits) {
            std::string flags;
            for (int i = 0; i < 4; ++i)
                if (bits & (1 << i)) flags += "udtc"[i];
            names.push_back(flags.empty() ? base : base + "-" + flags);
        }
    return names;
}

using S = Settings;

SettingRow number(const char* name, SettingMember member, double low, double high, bool fixed, const char* help)
{
    return {name, member, low, high, {}, fixed, help};
}

SettingRow word(const char* name, SettingMember member, Words words, bool fixed, const char* help)
{
    return {name, member, 0, 0, std::move(words), fixed, help};
}

SettingRow text(const char* name, SettingMember member, bool fixed, const char* help)
{
    return {name, member, 0, 0, {}, fixed, help};
}

SettingRow flag(const char* name, SettingMember member, bool fixed, const char* help)
{
    return {name, member, 0, 0, {}, fixed, help};
}

struct Topic {
    const char* name;
    std::vector<SettingRow> rows;
};

const std::vector<Topic>& topics()
{
    static const std::vector<Topic> all = {
        {"network",
         {word("archi", &S::archi, architectures(), kFixed,
               "architecture: df or liae, with flags: u (normalised latent), d (doubled output resolution), t (one "
               "level more), c (x*cos(x) activation)"),
          number("resolution", &S::resolution, 32, 640, kFixed,
                 "side of the network's images, px; a multiple of 16, with d or t of 32"),
          word("face_type", &S::face_type, {"half", "midfull", "full", "whole_face", "head"}, kFixed,
               "how much of the head is swapped; the facesets' face type or a smaller one"),
          number("ae_dims", &S::ae_dims, 8, 1024, kFixed, "autoencoder (latent) dimensions; even"),
          number("e_dims", &S::e_dims, 4, 256, kFixed, "encoder dimensions; even"),
          number("d_dims", &S::d_dims, 4, 256, kFixed, "decoder dimensions; even"),
          number("d_mask_dims", &S::d_mask_dims, 4, 256, kFixed,
                 "mask decoder dimensions; even, about a third of d_dims"),
          word("downsample", &S::downsample, {"strided", "maxpool"}, kFixed,
               "encoder downsampling: strided convolution, or convolution and max pooling"),
          word("upsample", &S::upsample, {"subpixel", "transposed", "nearest"}, kFixed,
               "decoder upsampling: pixel shuffle, transposed convolution, or nearest neighbour and convolution")}},
        {"data",
         {flag("random_warp", &S::random_warp, kFree,
               "random warp of the input; turn it off to finish a trained model"),
          number("random_warp_steps", &S::random_warp_steps, 0, kMost, kFree,
                 "last step with random_warp: what follows sharpens the face; 0: all steps"),
          flag("random_src_flip", &S::random_src_flip, kFree, "flip 40% of the source samples left to right"),
          flag("random_dst_flip", &S::random_dst_flip, kFree, "flip 40% of the destination samples left to right"),
          number("rotation", &S::rotation, 0, 180, kFree, "random rotation of the samples, degrees either way"),
          number("scale", &S::scale, 0, 1, kFree, "random scale of the samples, from 1/(1+scale) to 1+scale"),
          number("shift", &S::shift, 0, 0.5, kFree,
                 "random shift of the samples either way, as a fraction of the side"),
          number("random_hsv_power", &S::random_hsv_power, 0, 0.3, kFree,
                 "random hue, saturation and value of the source's input; 0.05 is typical; 0: off"),
          word("ct_mode", &S::ct_mode, {"none", "rct", "lct", "mkl", "idt", "sot"}, kFree,
               "colour transfer: gives each source sample the colours of a random destination face"),
          flag("uniform_yaw", &S::uniform_yaw, kFree,
               "sample all yaw angles equally often, so that rare profile views are trained as well"),
          flag("blur_out_mask", &S::blur_out_mask, kFree,
               "blur the target outside the face mask, so that the network need not learn the background"),
          number("validation_fraction", &S::validation_fraction, 0, 0.5, kFixed,
                 "fraction of the frames held out for the validation loss: one block in the middle of each clip")}},
        {"losses",
         {number("mse_weight", &S::mse_weight, 0, kMost, kFree, "weight of the mean squared error"),
          number("dssim_weight", &S::dssim_weight, 0, kMost, kFree, "weight of the structural dissimilarity (DSSIM)"),
          number("mask_weight", &S::mask_weight, 0, kMost, kFree, "weight of the mask's mean squared error"),
          flag("masked_training", &S::masked_training, kFree, "compute the image losses inside the face mask only"),
          flag("eyes_mouth_prio", &S::eyes_mouth_prio, kFree,
               "priority for eyes and mouth: adds 300 times the mean absolute error there"),
          number("perceptual_weight", &S::perceptual_weight, 0, kMost, kFree,
                 "weight of the perceptual loss, the distance between a pretrained network's features of face and "
                 "target; 1 is moderate beside dssim_weight=10; 0: off. Not in DeepFaceLab"),
          text("perceptual_file", &S::perceptual_file, kFree,
               "the pretrained network, a safetensors file: VGG-16, VGG-19 or SqueezeNet 1.1, with or without LPIPS "
               "weights"),
          text("perceptual_taps", &S::perceptual_taps, kFree,
               "layers whose features are compared, with weights if wanted: relu1_2:0.5,relu2_2; empty: the network's "
               "usual layers"),
          number("perceptual_downscale", &S::perceptual_downscale, 1, 4, kFree,
                 "compute the features on images reduced by this factor: 2 takes a quarter of the arithmetic and the "
                 "memory; must divide the resolution"),
          number("face_style_power", &S::face_style_power, 0, 100, kFree,
                 "pulls the swapped face's colours towards the destination's; start with 0.001, more causes artefacts; "
                 "0: off"),
          number("bg_style_power", &S::bg_style_power, 0, 100, kFree,
                 "pulls the background of the swapped face towards the destination's; 2 is typical; 0: off")}},
        {"adversary",
         {number(
              "gan_power", &S::gan_power, 0, 5, kFree,
              "weight of the GAN loss on the source's reconstructions; 0.1 is typical, once the faces are formed and "
              "random_warp is off; 0: off"),
          word("discriminator", &S::discriminator, {"patch", "fc"}, kFree,
               "discriminator type: patch (DeepFaceLab's U-Net, one output per patch and per pixel) or fc (fully "
               "connected, one output per image)"),
          number("gan_patch_size", &S::gan_patch_size, 0, 640, kFree,
                 "receptive field of the patch discriminator, px, 3 or more; 0: an eighth of the resolution, or the "
                 "nearest that fits"),
          number("gan_dims", &S::gan_dims, 4, 512, kFree, "discriminator dimensions"),
          word("gan_loss", &S::gan_loss, {"bce", "least_squares", "hinge"}, kFree,
               "loss of all discriminators: binary cross-entropy (DeepFaceLab's), least squares or hinge"),
          word("gan_update", &S::gan_update, {"simultaneous", "alternating"}, kFree,
               "simultaneous: generator and discriminators share a forward pass; alternating: discriminators see the "
               "updated generator, as in DeepFaceLab, which costs a second forward pass"),
          number("true_face_power", &S::true_face_power, 0, 1, kFree,
                 "weight of the adversarial loss that makes source latents look like destination latents; df only; "
                 "0.01 is typical; 0: off")}},
        {"optimizer",
         {number("batch_size", &S::batch_size, 1, 1024, kFree, "samples per identity per batch"),
          number("accumulate", &S::accumulate, 1, 1024, kFree,
                 "batches per step (gradient accumulation): 4 with batch_size=2 trains like batch_size=8, in the "
                 "memory of 2"),
          word("optimizer", &S::optimizer, {"adam", "adamw", "adabelief", "adabelief_dfl", "rmsprop"}, kFree,
               "optimizer; DeepFaceLab's adabelief=y is adabelief_dfl, its adabelief=n is rmsprop"),
          number("learning_rate", &S::learning_rate, 0, 1, kFree, "learning rate, of the discriminators as well"),
          number("beta1", &S::beta1, -1, 0.9999, kFree,
                 "decay of the mean gradient; -1: the optimizer's default, 0.5 for adam and adamw, 0.9 for adabelief"),
          number("beta2", &S::beta2, -1, 0.999999, kFree,
                 "decay of the mean squared gradient; -1: the optimizer's default, 0.999, for rmsprop 0.9"),
          number("eps", &S::eps, -1, 1, kFree,
                 "term against division by zero; -1: the optimizer's default, 1e-8 for adam and adamw, 1e-16 for "
                 "adabelief, 1e-6 for adabelief_dfl and rmsprop. It stands beside gradients of the batch's mean loss; "
                 "DeepFaceLab's are of its sum: its 1e-6 is 1e-6 / batch_size here"),
          number("weight_decay", &S::weight_decay, 0, 1, kFree, "decoupled weight decay of adamw; biases have none"),
          number("clipgrad", &S::clipgrad, 0, kMost, kFree,
                 "largest gradient norm, of generator and discriminators each; 0: no clipping. The norm is that of the "
                 "batch's mean loss; DeepFaceLab clips that of its sum at 1"),
          number("lr_warmup", &S::lr_warmup, 0, kMost, kFree, "steps in which the learning rate rises from 0"),
          word("lr_schedule", &S::lr_schedule, {"constant", "cosine"}, kFree,
               "learning rate schedule; cosine: after the warm-up it falls to lr_floor in lr_decay_steps"),
          number("lr_decay_steps", &S::lr_decay_steps, 1, kMost, kFree, "length of the cosine schedule, steps"),
          number("lr_floor", &S::lr_floor, 0, 1, kFree,
                 "where the cosine schedule ends, as a fraction of learning_rate"),
          flag("lr_dropout", &S::lr_dropout, kFree,
               "learning rate dropout: each step updates a random 30% of the weights, and the learning rate follows a "
               "cosine of 500 steps; to finish a trained model"),
          number("ema", &S::ema, 0, 0.99999, kFree,
                 "decay of the weights' exponential moving average, which merge and preview then use; 0.999 is "
                 "typical; 0: off")}},
        {"saving",
         {number("save_every", &S::save_every, 1, kMost, kFree, "steps between checkpoints"),
          number("keep", &S::keep, 1, 1000, kFree, "number of newest checkpoints that are kept"),
          number("keep_every", &S::keep_every, 0, kMost, kFree,
                 "also keep every checkpoint whose step is a multiple of this; 0: none"),
          number("autobackup_hour", &S::autobackup_hour, 0, 24, kFree,
                 "hours between backups of the newest checkpoint, in backups/, of which 24 are kept; 0: off"),
          number("preview_every", &S::preview_every, 0, kMost, kFree,
                 "steps between preview sheets and validation losses; 0: off"),
          flag("write_preview_history", &S::write_preview_history, kFree, "keep all preview sheets, in previews/")}},
        {"run",
         {number("target_iter", &S::target_iter, 0, kMost, kFree, "stop training at this step; 0: no limit"),
          flag("pretrain", &S::pretrain, kFree,
               "pretrain on one large set of many faces, given as both identities: flips on, warp, GAN and style "
               "losses off. When it is turned off, the blocks that tell identities apart are reinitialised"),
          text("freeze", &S::freeze, kFree,
               "blocks whose weights are not trained, such as encoder,inter; `bifrons inspect` lists a model's. liae "
               "without random_warp freezes inter_AB, as in DeepFaceLab"),
          word("precision", &S::precision, {"auto", "bf16", "tf32", "f32"}, kFree,
               "compute precision of products and activations; weights and sums stay f32. auto: bf16 on a GPU and on a "
               "CPU that multiplies faster in it (AMX, or AMD's AVX-512-BF16), else f32"),
          number("threads", &S::threads, 0, 1024, kFree,
                 "worker threads of the CPU; 0 = one or all cores, whichever is measured to be faster"),
          number("seed", &S::seed, 0, 9007199254740992.0, kFixed,
                 "random seed; the same seed gives the same weights")}},
    };
    return all;
}

std::string number_text(double value)
{
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr; // shortest text that reads back the same
    return {text, end};
}

std::string value_text(const SettingValue& value)
{
    if (const bool* b = std::get_if<bool>(&value)) return *b ? "true" : "false";
    if (const auto* i = std::get_if<std::int64_t>(&value)) return std::to_string(*i);
    if (const double* d = std::get_if<double>(&value)) return number_text(*d);
    return '"' + std::get<std::string>(value) + '"';
}

SettingValue get(const Settings& settings, const SettingRow& row)
{
    return std::visit([&](auto member) { return SettingValue(settings.*member); }, row.member);
}

/// What a row takes, in words: "true or false", "16..640", "strided | maxpool".
std::string range_text(const SettingRow& row)
{
    if (std::holds_alternative<bool Settings::*>(row.member)) return "true | false";
    if (!row.words.empty()) {
        std::string text;
        for (const std::string& word : row.words) text += (text.empty() ? "" : " | ") + word;
        return text;
    }
    if (std::holds_alternative<std::string Settings::*>(row.member)) return "text";
    const bool whole = std::holds_alternative<std::int64_t Settings::*>(row.member);
    return whole ? str(std::int64_t(row.low), "..", std::int64_t(row.high))
                 : number_text(row.low) + ".." + number_text(row.high);
}

bool in_range(const SettingRow& row, const SettingValue& value)
{
    if (const auto* i = std::get_if<std::int64_t>(&value)) return double(*i) >= row.low && double(*i) <= row.high;
    if (const double* d = std::get_if<double>(&value)) return *d >= row.low && *d <= row.high; // not a number: false
    if (const auto* s = std::get_if<std::string>(&value))
        return row.words.empty() || std::find(row.words.begin(), row.words.end(), *s) != row.words.end();
    return true;
}

} // namespace

const std::vector<SettingRow>& settings_table()
{
    static const std::vector<SettingRow> all = [] {
        std::vector<SettingRow> rows;
        for (const Topic& topic : topics()) rows.insert(rows.end(), topic.rows.begin(), topic.rows.end());
        return rows;
    }();
    return all;
}

const SettingRow* find_row(const std::string& name)
{
    for (const SettingRow& row : settings_table())
        if (name == row.name) return &row;
    return nullptr;
}

const SettingRow& require_row(const std::string& name, const std::string& where)
{
    if (const SettingRow* row = find_row(name)) return *row;
    Words names;
    for (const SettingRow& row : settings_table()) names.push_back(row.name);
    const std::string hint = did_you_mean(name, names);
    throw Error(ErrorKind::usage, str(where, ": unknown setting \"", name, "\"", hint.empty() ? "." : hint,
                                      " `bifrons train --list-settings` lists them all."));
}

void refuse_value(const SettingRow& row, const std::string& is, const std::string& where)
{
    const bool whole = std::holds_alternative<std::int64_t Settings::*>(row.member);
    const bool number = whole || std::holds_alternative<double Settings::*>(row.member);
    throw Error(ErrorKind::usage, str(where, ": ", row.name, " is ", is, "; expected ",
                                      whole    ? "a whole number in "
                                      : number ? "a number in "
                                               : "",
                                      range_text(row)));
}

void set(Settings& settings, const SettingRow& row, SettingValue value, const std::string& where)
{
    if (std::holds_alternative<double Settings::*>(row.member))
        if (const auto* whole = std::get_if<std::int64_t>(&value)) value = double(*whole);
    if (const auto* text = std::get_if<std::string>(&value))
        if (std::any_of(text->begin(), text->end(), [](unsigned char c) { return c < 0x20; }))
            refuse_value(row, "a text with control characters", where);
    if (value.index() != row.member.index() || !in_range(row, value)) refuse_value(row, value_text(value), where);
    std::visit(
        [&](auto member) {
            using T = std::remove_reference_t<decltype(settings.*member)>;
            settings.*member = std::get<T>(value);
        },
        row.member);
}

std::vector<SettingHelp> list_settings()
{
    const Settings initial;
    std::vector<SettingHelp> list;
    for (const Topic& topic : topics())
        for (const SettingRow& row : topic.rows)
            list.push_back({topic.name, row.name, range_text(row), value_text(get(initial, row)), row.help, row.fixed});
    return list;
}

std::string value_of(const Settings& settings, const std::string& name)
{
    return value_text(get(settings, require_row(name, "settings")));
}

void check_resume(const Settings& made, const Settings& wanted)
{
    std::string changed;
    for (const SettingRow& row : settings_table()) {
        if (!row.fixed || get(made, row) == get(wanted, row)) continue;
        changed += str(changed.empty() ? "" : ", ", row.name, " ", value_text(get(made, row)), " -> ",
                       value_text(get(wanted, row)));
    }
    BIFRONS_CHECK(usage, changed.empty(), "settings: cannot change once the model is made: ", changed,
                  ". Keep them, or start a new model in another folder.");
}

} // namespace bifrons::model
