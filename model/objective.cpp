#include "model/objective.h"

#include "kernels/augment/soft_mask.h"
#include "kernels/losses/total.h"

namespace bifrons::model {

namespace {

void append(std::vector<Term>& terms, const std::vector<Term>& more)
{
    terms.insert(terms.end(), more.begin(), more.end());
}

Adversary::Scene scene_of(const Autoencoder::Reconstructions& out, const Tensor& target, const Tensor& soft)
{
    return {out.src.face, target, soft, out.latent_src, out.latent_dst};
}

/// Copies the terms' values to report[first] and on.
void note(Tape& tape, const std::vector<Term>& terms, const Tensor& report, std::size_t first)
{
    kernels::LossTerms values;
    for (const Term& term : terms) values.add(term.value.view(), 1);
    kernels::run(
        tape.exec(),
        kernels::ListTerms{values, report.slice(std::int64_t(first), std::int64_t(first + terms.size())).view()});
}

Var sum_of(Tape& tape, const std::vector<Term>& terms)
{
    std::vector<Var> values;
    for (const Term& term : terms) values.push_back(term.value);
    return total(tape, values, std::vector<float>(values.size(), 1.0f));
}

/// Window of DSSIM for a side, after DeepFaceLab.
int dssim_window(int resolution, double divisor)
{
    return int(resolution / divisor);
}

} // namespace

std::vector<std::string> Objective::generator_names() const
{
    std::vector<std::string> names;
    for (const char* side : {"src", "dst"})
        for (const auto& [loss, weight] : {std::pair{"dssim", weights_.dssim},
                                           {"mse", weights_.mse},
                                           {"eyes_mouth", weights_.eyes_mouth},
                                           {"perceptual", weights_.perceptual},
                                           {"mask", weights_.mask}})
            if (weight > 0) names.push_back(str(side, "_", loss));
    for (const std::string& name : style_names(weights_.style)) names.push_back(name);
    if (adversary_)
        for (const std::string& name : adversary_->generator_names(weights_.masked_training)) names.push_back(name);
    return names;
}

std::vector<std::string> Objective::names() const
{
    std::vector<std::string> names = generator_names();
    if (adversary_)
        for (const std::string& name : adversary_->discriminator_names()) names.push_back(name);
    names.push_back("total");
    return names;
}

std::vector<Term> Objective::side(Tape& tape, const std::string& name, const Decoder::Output& out,
                                  const Truth& truth) const
{
    const auto& [target, mask, eyes_mouth, soft] = truth;
    std::vector<Term> terms;
    if (weights_.dssim > 0) {
        const int window = dssim_window(arch_.resolution, 11.6);
        if (arch_.resolution < 256) {
            terms.push_back({name + "_dssim", dssim(tape, out.face, target, soft, window, weights_.dssim)});
        } else {
            const Var coarse = dssim(tape, out.face, target, soft, window, weights_.dssim / 2);
            const Var fine =
                dssim(tape, out.face, target, soft, dssim_window(arch_.resolution, 23.2), weights_.dssim / 2);
            terms.push_back({name + "_dssim", total(tape, {coarse, fine}, {1, 1})});
        }
    }
    if (weights_.mse > 0) terms.push_back({name + "_mse", mse(tape, out.face, target, soft, weights_.mse)});
    if (weights_.eyes_mouth > 0)
        terms.push_back({name + "_eyes_mouth", l1(tape, out.face, target, eyes_mouth, weights_.eyes_mouth)});
    if (weights_.perceptual > 0)
        terms.push_back({name + "_perceptual", (*perceptual_)(tape, out.face, target, soft, weights_.perceptual)});
    if (weights_.mask > 0) terms.push_back({name + "_mask", mse(tape, out.mask, mask, {}, weights_.mask)});
    return terms;
}

Objective::Truth Objective::truth(const Batch& batch, const Tensor& soft, bool src) const
{
    BIFRONS_CHECK(bug, weights_.eyes_mouth == 0 || batch.eyes_mouth,
                  "objective: the batch has no mask of eyes and mouth");
    const std::int64_t both = batch.mask.shape()[0], half = both / 2;
    const auto part = [&](const Tensor& t) { return !t ? t : src ? t.slice(0, half) : t.slice(half, both); };
    return {part(batch.target), part(batch.mask), part(batch.eyes_mouth), part(soft)};
}

std::vector<Term> Objective::generator_terms(Tape& tape, const Autoencoder::Reconstructions& out, const Truth& src,
                                             const Truth& dst) const
{
    std::vector<Term> terms = side(tape, "src", out.src, src);
    append(terms, side(tape, "dst", out.dst, dst));
    if (weights_.style) append(terms, style_terms(tape, weights_.style, *network_, out, dst.target));
    if (adversary_) append(terms, adversary_->generator_terms(tape, scene_of(out, src.target, src.soft)));
    return terms;
}

Var Objective::operator()(Tape& tape, const Autoencoder::Reconstructions& out, const Batch& batch, const Tensor& report,
                          Part part) const
{
    const Tape::Scope scope(tape, "objective");
    BIFRONS_CHECK(bug, report.size() == std::int64_t(names().size()), "objective: report has ", report.size(),
                  " places for ", names().size(), " values");
    Tensor soft;
    if (weights_.masked_training) {
        const Shape& m = batch.mask.shape();
        soft = tape.empty(m, batch.mask.dtype());
        kernels::run(
            tape.exec(),
            kernels::SoftMask{{.N = m[0], .H = m[1], .W = m[2], .sigma = std::max(1.0f, float(arch_.resolution / 32))},
                              batch.mask.view(),
                              soft.view()});
    }
    const Truth src = truth(batch, soft, true), dst = truth(batch, soft, false);
    std::vector<Term> roots;
    if (part != Part::discriminators) {
        const std::vector<Term> terms = generator_terms(tape, out, src, dst);
        note(tape, terms, report, 0);
        roots.push_back({"total", sum_of(tape, terms)});
        note(tape, roots, report, names().size() - 1);
    }
    if (part != Part::generator && adversary_) {
        const std::vector<Term> terms = adversary_->discriminator_terms(tape, scene_of(out, src.target, src.soft));
        note(tape, terms, report, generator_count());
        append(roots, terms);
    }
    return roots.size() == 1 ? roots[0].value : sum_of(tape, roots);
}

} // namespace bifrons::model
