#include "engine/params.h"

#include "kernels/base/rng.h"
#include "kernels/pointwise/cast.h"

#include <cmath>

namespace bifrons {

namespace {

constexpr std::uint32_t kInitPurpose = 100; // apart from the purposes of a training step's draws

/// FNV-1a: a number for a name that is the same everywhere.
std::uint32_t hash_name(const std::string& name)
{
    std::uint32_t h = 2166136261u;
    for (const char c : name) h = (h ^ std::uint8_t(c)) * 16777619u;
    return h;
}

/// The values that a parameter starts with.
std::vector<float> initial_values(const Parameters::Entry& e, std::uint64_t seed, std::uint64_t draw)
{
    std::vector<float> values(std::size_t(e.shape.size()), 0.0f);
    if (e.init.kind == Init::Kind::zeros) return values;
    const float limit = std::sqrt(6.0f / float(e.init.fan_in + e.init.fan_out));
    kernels::Rng random(seed, draw, hash_name(e.name), kInitPurpose);
    for (float& v : values) v = limit * (2.0f * random.uniform() - 1.0f);
    return values;
}

} // namespace

int Parameters::declare(const std::string& name, const Shape& shape, const Init& init)
{
    BIFRONS_CHECK(bug, !weights_, "parameter ", name, ": declared after the arenas were allocated");
    const int number = int(entries_.size());
    BIFRONS_CHECK(bug, numbers_.emplace(name, number).second, "parameter ", name, ": declared twice");
    entries_.push_back({name, shape, init, arena_size_});
    arena_size_ += (shape.size() + kAlign - 1) / kAlign * kAlign;
    groups_.back().end = arena_size_;
    return number;
}

void Parameters::begin_group(const std::string& name)
{
    BIFRONS_CHECK(bug, !weights_, "group ", name, ": begun after the arenas were allocated");
    for (const Group& group : groups_) BIFRONS_CHECK(bug, group.name != name, "group ", name, ": begun twice");
    BIFRONS_CHECK(bug, groups_.size() < kernels::StepState::kGroups, "group ", name, ": one more than ",
                  kernels::StepState::kGroups);
    groups_.push_back({name, arena_size_, arena_size_});
}

int Parameters::freeze(const std::string& block)
{
    BIFRONS_CHECK(bug, !weights_, "freeze ", block, ": after the arenas were allocated");
    const std::vector<int> numbers = this->block(block);
    for (const int i : numbers) entries_[std::size_t(i)].frozen = true;
    return int(numbers.size());
}

void Parameters::allocate(kernels::Exec ex, DType dtype, Memory& memory)
{
    allocate_weights(ex, dtype, memory);
    gradients_ = Tensor::empty({arena_size_}, dtype, memory);
    ex.device->fill(ex.stream, gradients_.view().data, 0, gradients_.bytes());
}

void Parameters::allocate_weights(kernels::Exec ex, DType dtype, Memory& memory)
{
    weights_ = Tensor::empty({arena_size_}, dtype, memory);
    ex.device->fill(ex.stream, weights_.view().data, 0, weights_.bytes());
}

void Parameters::allocate_packed(Memory& memory)
{
    packed_ = Tensor::empty({arena_size_}, DType::bf16, memory);
}

void Parameters::pack(kernels::Exec ex) const
{
    if (packed_) kernels::run(ex, kernels::Cast{arena_size_, weights_.view(), packed_.view()});
}

Var Parameters::var(Tape& tape, int i) const
{
    const Tensor v = operand(tape, i);
    return entries_[std::size_t(i)].frozen ? Var(v) : tape.parameter(v, grad(i));
}

/// What the tape's precision computes with.
Tensor Parameters::operand(const Tape& tape, int i) const
{
    const Entry& e = entries_.at(std::size_t(i));
    const bool packed = tape.precision() == Precision::bf16 && e.shape.rank() > 1;
    BIFRONS_CHECK(bug, !packed || packed_, "parameter ", e.name, ": has no bf16 copy");
    return packed ? part(packed_, i) : value(i);
}

void Parameters::initialise(kernels::Exec ex, std::uint64_t seed) const
{
    std::vector<float> values(std::size_t(arena_size_), 0.0f);
    for (const Entry& e : entries_) {
        const std::vector<float> initial = initial_values(e, seed, 0);
        std::copy(initial.begin(), initial.end(), values.begin() + e.offset);
    }
    weights_.upload(ex, values);
    pack(ex);
}

void Parameters::initialise(kernels::Exec ex, std::uint64_t seed, int i, std::uint64_t draw) const
{
    value(i).upload(ex, initial_values(entries_.at(std::size_t(i)), seed, draw));
}

std::vector<int> Parameters::block(const std::string& name) const
{
    std::vector<int> numbers;
    for (std::size_t i = 0; i < entries_.size(); ++i)
        if (entries_[i].name.rfind(name + ".", 0) == 0) numbers.push_back(int(i));
    return numbers;
}

std::int64_t Parameters::count() const
{
    std::int64_t n = 0;
    for (const Entry& e : entries_) n += e.shape.size();
    return n;
}

int Parameters::find(const std::string& name) const
{
    const auto it = numbers_.find(name);
    return it == numbers_.end() ? -1 : it->second;
}

Tensor Parameters::part(const Tensor& arena, int i) const
{
    const Entry& e = entries_.at(std::size_t(i));
    return arena.slice(e.offset, e.offset + e.shape.size()).reshape(e.shape);
}

} // namespace bifrons
