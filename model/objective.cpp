#include "model/objective.h"

#include "kernels/augment/soft_mask.h"

namespace bifrons::model {

namespace {

/// Window of DSSIM for a side, after DeepFaceLab.
int dssim_window(int resolution, double divisor)
{
    return int(resolution / divisor);
}

} // namespace

std::vector<std::string> Objective::names() const
{
    std::vector<std::string> names;
    for (const char* side : {"src", "dst"})
        for (const auto& [loss, weight] : {std::pair{"dssim", weights_.dssim},
                                           {"mse", weights_.mse},
                                           {"eyes_mouth", weights_.eyes_mouth},
                                           {"perceptual", weights_.perceptual},
                                           {"mask", weights_.mask}})
            if (weight > 0) names.push_back(str(side, "_", loss));
    names.push_back("total");
    return names;
}

std::vector<Objective::Term> Objective::side(Tape& tape, const std::string& name, const Decoder::Output& out,
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

Var Objective::operator()(Tape& tape, const Autoencoder::Reconstructions& out, const Batch& batch,
                          const Tensor& report) const
{
    const Tape::Scope scope(tape, "objective");
    const std::int64_t both = batch.mask.shape()[0], half = both / 2;
    Tensor soft;
    if (weights_.masked_training) {
        const Shape& m = batch.mask.shape();
        soft = tape.empty(m, batch.mask.dtype());
        kernels::soft_mask(tape.exec(),
                           {.N = m[0], .H = m[1], .W = m[2], .sigma = std::max(1.0f, float(arch_.resolution / 32))},
                           batch.mask.view(), soft.view());
    }
    BIFRONS_CHECK(bug, weights_.eyes_mouth == 0 || batch.eyes_mouth,
                  "objective: the batch has no mask of eyes and mouth");
    const auto rows = [&](std::int64_t begin, std::int64_t end) {
        const auto part = [&](const Tensor& t) { return t ? t.slice(begin, end) : t; };
        return Truth{part(batch.target), part(batch.mask), part(batch.eyes_mouth), part(soft)};
    };
    std::vector<Term> terms = side(tape, "src", out.src, rows(0, half));
    for (Term& term : side(tape, "dst", out.dst, rows(half, both))) terms.push_back(std::move(term));

    std::vector<Var> values;
    for (const Term& term : terms) values.push_back(term.value);
    const Var sum = total(tape, values, std::vector<float>(values.size(), 1.0f));
    values.push_back(sum);
    BIFRONS_CHECK(bug, report.size() == std::int64_t(values.size()), "objective: report has ", report.size(),
                  " places for ", values.size(), " values");
    const kernels::Exec ex = tape.exec();
    for (std::size_t i = 0; i < values.size(); ++i) {
        const Tensor place = report.slice(std::int64_t(i), std::int64_t(i) + 1);
        ex.device->copy(ex.stream, place.view().data, values[i].view().data, place.bytes());
    }
    return sum;
}

} // namespace bifrons::model
