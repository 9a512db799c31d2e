#include "model/adversary.h"

namespace bifrons::model {

using kernels::MaskSide;
using kernels::Verdict;

namespace {

constexpr float kVariationWeight = 1e-6f, kBackgroundWeight = 0.02f; // DeepFaceLab's

Var inside(Tape& tape, const Var& picture, const Tensor& soft)
{
    return soft ? mask_pixels(tape, picture, soft) : picture;
}

std::unique_ptr<Discriminator> picture_discriminator(Parameters& params, const Architecture& arch,
                                                     const AdversaryOptions& o)
{
    const std::string name = "discriminator";
    if (o.kind == AdversaryOptions::Kind::fc)
        return std::make_unique<FcDiscriminator>(params, name, arch.resolution, o.dims);
    return std::make_unique<PatchDiscriminator>(params, name, o.patch, o.dims);
}

} // namespace

Adversary::Adversary(Parameters& params, const Architecture& arch, const AdversaryOptions& options) : options_(options)
{
    options.check(arch);
    if (options.gan_power > 0) {
        params.begin_group("discriminator");
        picture_ = picture_discriminator(params, arch, options);
    }
    if (options.true_face_power > 0) {
        params.begin_group("code_discriminator");
        code_ = std::make_unique<CodeDiscriminator>(params, "code_discriminator", arch.latent_side(), arch.ae_dims);
    }
}

Var Adversary::worth(Tape& tape, const std::vector<Var>& answers, Verdict wanted, float scale) const
{
    std::vector<Var> losses;
    for (const Var& answer : answers) {
        if (options_.loss == AdversaryOptions::Loss::bce) {
            losses.push_back(bce(tape, answer, wanted == Verdict::fake ? 0.0f : 1.0f, scale));
            continue;
        }
        const auto loss = options_.loss == AdversaryOptions::Loss::hinge ? kernels::AdversarialLoss::hinge
                                                                         : kernels::AdversarialLoss::least_squares;
        losses.push_back(adversarial(tape, answer, loss, wanted, scale));
    }
    return losses.size() == 1 ? losses[0] : total(tape, losses, std::vector<float>(losses.size(), 1.0f));
}

Var Adversary::telling(Tape& tape, const Discriminator& discriminator, const Var& real, const Var& fake) const
{
    return total(tape,
                 {worth(tape, discriminator(tape, real), Verdict::real, 0.5f),
                  worth(tape, discriminator(tape, fake), Verdict::fake, 0.5f)},
                 {1, 1});
}

std::vector<Term> Adversary::generator_terms(Tape& tape, const Scene& scene) const
{
    const Tape::FrozenParameters constants(tape);
    std::vector<Term> terms;
    if (picture_) {
        const std::vector<Var> answers = (*picture_)(tape, inside(tape, scene.made, scene.soft));
        terms.push_back({"src_gan", worth(tape, answers, Verdict::fool, options_.gan_power)});
    }
    if (code_) {
        const std::vector<Var> answers = (*code_)(tape, scene.latent_src);
        terms.push_back({"src_true_face", worth(tape, answers, Verdict::fool, options_.true_face_power)});
    }
    if (picture_ && scene.soft) {
        const auto outside = [&](const Var& x) { return mask_pixels(tape, x, scene.soft, MaskSide::outside); };
        const Tensor real = outside(Var(scene.real)).value();
        terms.push_back({"src_variation", total_variation(tape, scene.made, kVariationWeight)});
        terms.push_back({"src_background", mse(tape, outside(scene.made), real, {}, kBackgroundWeight)});
    }
    return terms;
}

std::vector<Term> Adversary::discriminator_terms(Tape& tape, const Scene& scene) const
{
    std::vector<Term> terms;
    if (picture_) {
        const Var real = inside(tape, Var(scene.real), scene.soft),
                  made = inside(tape, Var(scene.made.value()), scene.soft);
        terms.push_back({"d_gan", telling(tape, *picture_, real, made)});
    }
    if (code_)
        terms.push_back(
            {"d_code", telling(tape, *code_, Var(scene.latent_dst.value()), Var(scene.latent_src.value()))});
    return terms;
}

std::vector<std::string> Adversary::generator_names(bool masked_training) const
{
    std::vector<std::string> names;
    if (picture_) names.push_back("src_gan");
    if (code_) names.push_back("src_true_face");
    if (picture_ && masked_training) names.insert(names.end(), {"src_variation", "src_background"});
    return names;
}

std::vector<std::string> Adversary::discriminator_names() const
{
    std::vector<std::string> names;
    if (picture_) names.push_back("d_gan");
    if (code_) names.push_back("d_code");
    return names;
}

} // namespace bifrons::model
