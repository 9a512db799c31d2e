#include "model/export/deepfacelab.h"

#include "kernels/base/error.h"
#include "model/trained.h"
#include "model/trainer.h"

#include <algorithm>

namespace bifrons::model {

namespace {

const Architecture& checked(const Architecture& arch, const std::string& file)
{
    BIFRONS_CHECK(data, arch.downsample == Downsample::strided && arch.upsample == Upsample::subpixel, file,
                  ": is of a network that DeepFaceLab does not have; expected downsample = strided and upsample = "
                  "subpixel");
    return arch;
}

std::string face_type_of(const std::string& type)
{
    static const std::map<std::string, std::string> types = {
        {"half", "h"}, {"midfull", "mf"}, {"full", "f"}, {"whole_face", "wf"}, {"head", "head"}};
    return types.at(type);
}

bool has_patches(const AdversaryOptions& adversary)
{
    return adversary.kind == AdversaryOptions::Kind::patch;
}

bool has_belief(const Settings& s)
{
    return s.optimizer.rfind("adabelief", 0) == 0;
}

std::string key_of(const DflPlace& place, const std::string& name, const std::string& prefix)
{
    return prefix.empty() ? name + ":0" : str(prefix, place.scope, "/", name, "_0:0");
}

} // namespace

std::vector<std::pair<std::string, DflOption>> options_from(const Settings& s, std::vector<std::string>& notes)
{
    const auto lost = [&](bool is_set, const char* what) {
        if (is_set) notes.emplace_back(str("DeepFaceLab has no ", what, ", which the model was trained with"));
    };
    lost(!has_belief(s) && s.optimizer != "rmsprop", "Adam");
    lost(s.perceptual_weight > 0, "perceptual loss");
    lost(s.gan_power > 0 && !has_patches(adversary_of(s)), "discriminator of this kind");
    const bool is_rmsprop = s.optimizer == "rmsprop", clips = s.clipgrad > 0;
    const auto patch = std::int64_t(adversary_of(s).patch);
    return {{"resolution", s.resolution},
            {"face_type", face_type_of(s.face_type)},
            {"models_opt_on_gpu", true},
            {"archi", s.archi},
            {"ae_dims", s.ae_dims},
            {"e_dims", s.e_dims},
            {"d_dims", s.d_dims},
            {"d_mask_dims", s.d_mask_dims},
            {"masked_training", s.masked_training},
            {"eyes_mouth_prio", s.eyes_mouth_prio},
            {"uniform_yaw", s.uniform_yaw},
            {"blur_out_mask", s.blur_out_mask},
            {"adabelief", !is_rmsprop},
            {"lr_dropout", std::string(s.lr_dropout ? "y" : "n")},
            {"random_warp", s.random_warp},
            {"random_hsv_power", s.random_hsv_power},
            {"true_face_power", s.true_face_power},
            {"face_style_power", s.face_style_power},
            {"bg_style_power", s.bg_style_power},
            {"ct_mode", s.ct_mode},
            {"clipgrad", clips},
            {"pretrain", s.pretrain},
            {"autobackup_hour", s.autobackup_hour},
            {"write_preview_history", s.write_preview_history},
            {"target_iter", s.target_iter},
            {"random_src_flip", s.random_src_flip},
            {"random_dst_flip", s.random_dst_flip},
            {"batch_size", s.batch_size},
            {"gan_power", has_patches(adversary_of(s)) ? s.gan_power : 0.0},
            {"gan_patch_size", patch},
            {"gan_dims", s.gan_dims}};
}

DflExport::DflExport(const Checkpoint& checkpoint)
    : checkpoint_(checkpoint), settings_(settings_of(checkpoint)), effect_(in_effect(settings_)),
      arch_(checked(architecture_of(settings_), checkpoint.file.path())), places_(arch_, adversary_of(effect_).patch),
      net_(params_, arch_), adversary_(params_, arch_, adversary_of(effect_)), options_(options_from(settings_, notes_))
{
    constexpr std::int64_t kMostSteps = 20'000'000; // DeepFaceLab keeps two losses of each
    BIFRONS_CHECK(data, checkpoint.step <= kMostSteps, checkpoint.file.path(), ": is at step ", checkpoint.step,
                  "; expected at most ", kMostSteps, " for DeepFaceLab");
    for (const Parameters::Group& group : params_.groups())
        if (group.name != "discriminator" || has_patches(adversary_of(effect_))) list_files(group);
}

void DflExport::list_files(const Parameters::Group& group)
{
    const auto is_listed = [&](const std::string& name) {
        return std::any_of(files_.begin(), files_.end(), [&](const File& file) { return file.name == name; });
    };
    std::string optimizer;
    for (const Parameters::Entry& e : params_.entries()) {
        if (e.offset < group.begin || e.offset >= group.end) continue;
        parameter(checkpoint_.file, "", e, DType::f32);
        const DflPlace place = places_(e);
        if (!is_listed(place.file)) files_.push_back({place.file, false});
        optimizer = place.optimizer;
    }
    const std::vector<Moment> kinds = moments();
    const bool has_moments = !kinds.empty() && std::all_of(kinds.begin(), kinds.end(), [&](const Moment& kind) {
        return holds(checkpoint_.file, kind.ours, params_, group);
    });
    if (has_moments)
        files_.push_back({optimizer, true});
    else
        notes_.emplace_back(str("the optimizer of the ", group.name, " starts with new moments in DeepFaceLab"));
}

/// The optimizer's, where DeepFaceLab has it.
std::vector<DflExport::Moment> DflExport::moments() const
{
    const kernels::UpdateRule rule = optimizer_of(settings_).update.rule;
    if (rule == kernels::UpdateRule::adam) return {};
    const bool has_mean = kernels::keeps_mean(rule);
    const std::string prefix = moments_prefix(rule);
    const auto batch = float(settings_.batch_size);
    std::vector<Moment> kinds = {{prefix + "v.", has_mean ? "vs_" : "acc_", batch * batch}};
    if (has_mean) kinds.insert(kinds.begin(), {prefix + "m.", "ms_", batch});
    return kinds;
}

void DflExport::read(const File& file, const std::function<void(const Array&)>& take) const
{
    const std::vector<Moment> kinds = file.is_optimizer ? moments() : std::vector<Moment>{{"", "", 1}};
    for (const Moment& kind : kinds)
        for (const Parameters::Entry& e : params_.entries()) {
            const DflPlace place = places_(e);
            if ((file.is_optimizer ? place.optimizer : place.file) == file.name) give(e, kind, take);
        }
}

void DflExport::give(const Parameters::Entry& e, const Moment& kind,
                     const std::function<void(const Array&)>& take) const
{
    const DflPlace place = places_(e);
    const std::vector<float> values = float_values(parameter(checkpoint_.file, kind.ours, e, DType::f32));
    const std::vector<std::int64_t> shape = their_shape(e.shape, place.names.size());
    const float* from = values.data();
    for (const std::string& name : place.names) {
        take({key_of(place, name, kind.theirs), shape, to_theirs(from, shape, place, kind.scale)});
        from += values.size() / place.names.size();
    }
}

} // namespace bifrons::model
