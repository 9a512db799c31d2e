#include "engine/optimizer.h"

#include "kernels/optim/global_norm.h"

namespace bifrons {

namespace {

/// A mark for each block of the arenas.
std::vector<std::uint8_t> marks_of(const Parameters& params)
{
    std::vector<std::uint8_t> marks(std::size_t(params.arena_size() / Parameters::kAlign));
    for (const Parameters::Entry& e : params.entries()) {
        const int mark = (e.frozen ? 0 : kernels::kTrained) | (e.shape.rank() > 1 ? kernels::kDecays : 0);
        const std::int64_t blocks = (e.shape.size() + Parameters::kAlign - 1) / Parameters::kAlign;
        std::fill_n(marks.begin() + e.offset / Parameters::kAlign, blocks, std::uint8_t(mark));
    }
    return marks;
}

kernels::View part(const Tensor& arena, const Parameters::Group& group)
{
    return arena ? arena.slice(group.begin, group.end).view() : kernels::View{};
}

} // namespace

void Optimizer::allocate(kernels::Exec ex, Memory& memory)
{
    const DType dtype = params_.weights().dtype();
    const auto zeros = [&](std::int64_t n) {
        const Tensor t = Tensor::empty({n}, dtype, memory);
        ex.device->fill(ex.stream, t.view().data, 0, t.bytes());
        return t;
    };
    if (kernels::keeps_mean(options_.update.rule)) mean_ = zeros(params_.arena_size());
    square_ = zeros(params_.arena_size());
    if (options_.update.average_decay > 0) average_ = zeros(params_.groups().front().end);
    norms_ = zeros(std::int64_t(params_.groups().size()));
    const std::vector<std::uint8_t> marks = marks_of(params_);
    marks_ = Tensor::empty({std::int64_t(marks.size())}, DType::u8, memory);
    ex.device->copy(ex.stream, marks_.view().data, marks.data(), marks.size());
    ex.device->synchronize(ex.stream);
}

void Optimizer::start_average(kernels::Exec ex) const
{
    if (average_) ex.device->copy(ex.stream, average_.view().data, params_.weights().view().data, average_.bytes());
}

kernels::UpdateArenas Optimizer::arenas_of(const Parameters::Group& group) const
{
    const bool averaged = average_ && group.begin == 0;
    return {.w = part(params_.weights(), group),
            .g = part(params_.gradients(), group),
            .m = part(mean_, group),
            .v = part(square_, group),
            .packed = part(params_.packed(), group),
            .average = averaged ? average_.view() : kernels::View{},
            .marks = marks_.slice(group.begin / Parameters::kAlign, group.end / Parameters::kAlign).view()};
}

void Optimizer::step(kernels::Exec ex, kernels::StepState* state, const Tensor& losses, Groups which) const
{
    const std::vector<Parameters::Group>& groups = params_.groups();
    const std::size_t begin = which == Groups::others ? 1 : 0, end = which == Groups::first ? 1 : groups.size();
    for (std::size_t i = begin; i < end; ++i)
        kernels::run(ex, kernels::GlobalNorm{groups[i].size(), part(params_.gradients(), groups[i]),
                                             norms_.slice(std::int64_t(i), std::int64_t(i) + 1).view()});
    const kernels::View norms = norms_.slice(std::int64_t(begin), std::int64_t(end)).view();
    if (which == Groups::others)
        kernels::run(ex,
                     kernels::JudgeOthers{state, losses.size(), losses.view(), int(begin), int(end - begin), norms});
    else
        kernels::run(ex, kernels::JudgeStep{state, options_.schedule, losses.size(), losses.view(), int(end), norms});
    for (std::size_t i = begin; i < end; ++i)
        kernels::run(ex, kernels::Update{groups[i].size(), options_.update, arenas_of(groups[i]), state, int(i),
                                         groups[i].begin});
}

} // namespace bifrons
