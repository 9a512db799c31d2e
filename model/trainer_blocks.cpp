// model/trainer_blocks.cpp - blocks of a network that take another model's weights, or new ones.
#include "kernels/base/words.h"
#include "model/trained.h"
#include "model/trainer.h"

#include <algorithm>
#include <cstring>

namespace bifrons::model {

using kernels::StepState;

namespace {

bool same_shape(const NamedTensor& t, const Shape& shape)
{
    bool same = int(t.shape.size()) == shape.rank();
    for (int i = 0; same && i < shape.rank(); ++i) same = t.shape[std::size_t(i)] == shape[i];
    return same;
}

} // namespace

/// Numbers of the parameters of these blocks.
std::vector<int> Trainer::parameters_of(const std::vector<std::string>& blocks) const
{
    std::vector<int> numbers;
    for (const std::string& block : blocks) {
        const std::vector<int> more = params_.block(block);
        BIFRONS_CHECK(usage, !more.empty(), "the network has no block \"", block, "\"; expected ",
                      alternatives(net_.blocks()));
        numbers.insert(numbers.end(), more.begin(), more.end());
    }
    return numbers;
}

/// After weights were replaced, what the optimizer knew of them is of no use; its bias correction starts over, too.
void Trainer::forget_moments()
{
    StepState state = read_state();
    for (const Tensor& moments : {optimizer_.mean(), optimizer_.square()})
        if (moments) device_.fill({}, moments.view().data, 0, moments.bytes());
    for (std::size_t i = 0; i < params_.groups().size(); ++i) state.begun[i] = state.applied;
    params_.pack(exec());
    optimizer_.start_average(exec());
    write_state(state);
}

void Trainer::take_blocks(const Checkpoint& from, const std::vector<std::string>& blocks)
{
    const std::vector<int> numbers = parameters_of(blocks);
    std::vector<const NamedTensor*> tensors;
    for (const int i : numbers) {
        const Parameters::Entry& e = params_.entries()[std::size_t(i)];
        const auto& all = from.file.tensors();
        const auto named = [&](const std::string& name) {
            return std::find_if(all.begin(), all.end(), [&](const NamedTensor& t) { return t.name == name; });
        };
        auto it = named(kAveragePrefix + e.name); // the weights that this model shows, if it averages
        if (it == all.end()) it = named(e.name);
        BIFRONS_CHECK(usage, it != all.end() && it->dtype == DType::f32 && same_shape(*it, e.shape), from.file.path(),
                      it == all.end() ? str(": has no ", e.name) : str(": has another shape of ", e.name),
                      "; expected ", e.shape, ". Blocks can be taken from a model with the same archi, dims and, for ",
                      "inter, resolution; name those that fit with --init-blocks.");
        tensors.push_back(&*it);
    }
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        std::vector<float> values(std::size_t(tensors[i]->size()));
        std::memcpy(values.data(), tensors[i]->data, tensors[i]->bytes());
        params_.value(numbers[i]).upload(exec(), values);
    }
    forget_moments();
}

void Trainer::reset_blocks(const std::vector<std::string>& blocks)
{
    const StepState state = read_state();
    for (const int i : parameters_of(blocks)) params_.initialise(exec(), state.seed, i, state.step + 1);
    forget_moments();
}

} // namespace bifrons::model
