// model/trainer_checkpoint.cpp - what a checkpoint of a training holds, and how it comes back.
#include "model/trained.h"
#include "model/trainer.h"

#include <algorithm>

namespace bifrons::model {

using kernels::StepState;

namespace {

const std::string& metadata_text(const Checkpoint& checkpoint, const std::string& key)
{
    const Metadata& metadata = checkpoint.file.metadata();
    const auto it = metadata.find(key);
    BIFRONS_CHECK(data, it != metadata.end(), checkpoint.file.path(), ": has no \"", key,
                  "\"; expected a checkpoint of `bifrons train`");
    return it->second;
}

std::int64_t metadata_number(const Checkpoint& checkpoint, const std::string& key)
{
    const std::string& text = metadata_text(checkpoint, key);
    try {
        return std::stoll(text);
    } catch (const std::exception&) {
        throw Error(ErrorKind::data, str(checkpoint.file.path(), ": \"", key, "\" is \"", text, "\", not a number"));
    }
}

} // namespace

std::vector<Trainer::Stored> Trainer::stored() const
{
    const std::string moments = moments_prefix(optimizer_.options().update.rule);
    std::vector<Stored> list = {{"", params_.weights(), "weights"}};
    if (optimizer_.mean()) list.push_back({moments + "m.", optimizer_.mean(), nullptr});
    list.push_back({moments + "v.", optimizer_.square(), "moments of this optimizer"});
    if (optimizer_.average()) list.push_back({kAveragePrefix, optimizer_.average(), "averaged weights"});
    return list;
}

void Trainer::save(CheckpointStore& store)
{
    std::vector<std::vector<std::uint8_t>> host;
    std::vector<NamedTensor> tensors;
    for (const Stored& part : stored()) {
        auto& bytes = host.emplace_back(part.arena.bytes());
        device_.download({}, bytes.data(), part.arena.view().data, bytes.size());
        for (const Parameters::Entry& e : params_.entries()) {
            if (e.offset >= part.arena.size()) continue;
            std::vector<std::int64_t> shape;
            for (int i = 0; i < e.shape.rank(); ++i) shape.push_back(e.shape[i]);
            const std::size_t offset = std::size_t(e.offset) * kernels::dtype_bytes(part.arena.dtype());
            tensors.push_back({part.prefix + e.name, part.arena.dtype(), shape, bytes.data() + offset});
        }
    }
    const StepState state = read_state();
    const int threads = device_.target().threads;
    store.save(std::int64_t(state.step), tensors, checkpoint_metadata(settings_, state, params_, threads));
}

void Trainer::restore(const Checkpoint& checkpoint, const Warn& warn)
{
    restore(checkpoint, std::uint64_t(checkpoint.step), warn);
    tell_of_unused(checkpoint, warn);
}

void Trainer::roll_back(const Checkpoint& checkpoint)
{
    restore(checkpoint, read_state().step, [](const std::string&) {});
}

/// An arena's bytes as the checkpoint has them; what it has not starts fresh.
std::vector<std::uint8_t> Trainer::read(const Checkpoint& checkpoint, const Stored& part, StepState& state,
                                        const Warn& warn) const
{
    const std::vector<Parameters::Group>& groups = params_.groups();
    const bool weights = part.prefix.empty();
    std::vector<std::uint8_t> bytes(part.arena.bytes(), 0);
    for (std::size_t i = 0; i < groups.size() && part.has(groups[i]); ++i) {
        if ((weights && i == 0) || holds(checkpoint.file, part.prefix, params_, groups[i])) {
            read_group(checkpoint.file, part.prefix, params_, groups[i], part.arena.dtype(), bytes);
            continue;
        }
        const bool told = !weights && !holds(checkpoint.file, "", params_, groups[i]);
        if (part.what && !told)
            warn(str(checkpoint.file.path(), ": has no ", part.what, " of the ", groups[i].name,
                     "; starting with new ones"));
        if (part.prefix != kAveragePrefix) state.begun[i] = state.applied;
    }
    return bytes;
}

/// A group's weights as a new model has them.
void Trainer::initialise(const Parameters::Group& group, std::uint64_t seed)
{
    for (std::size_t i = 0; i < params_.entries().size(); ++i) {
        const std::int64_t offset = params_.entries()[i].offset;
        if (offset >= group.begin && offset < group.end) params_.initialise(exec(), seed, int(i), 0);
    }
}

/// Names what the checkpoint has and this training does not use, so that later checkpoints will not contain it.
void Trainer::tell_of_unused(const Checkpoint& checkpoint, const Warn& warn) const
{
    for (const std::string block : {"discriminator", "code_discriminator"}) {
        const auto of_block = [&](const NamedTensor& t) { return t.name.rfind(block + ".", 0) == 0; };
        const auto& tensors = checkpoint.file.tensors();
        if (params_.block(block).empty() && std::any_of(tensors.begin(), tensors.end(), of_block))
            warn(str(checkpoint.file.path(), ": has a ", block,
                     ", which these settings do not use: later checkpoints will not contain it. Keep this one to "
                     "continue with it later."));
    }
}

void Trainer::restore(const Checkpoint& checkpoint, std::uint64_t random_step, const Warn& warn)
{
    StepState state{.seed = std::uint64_t(metadata_number(checkpoint, "seed")),
                    .step = random_step,
                    .applied = std::uint64_t(metadata_number(checkpoint, "applied")),
                    .learning_rate = float(settings_.learning_rate),
                    .bad_steps = std::uint32_t(metadata_number(checkpoint, "bad_steps"))};
    for (std::size_t i = 0; i < params_.groups().size(); ++i) {
        const std::string key = begun_key(params_.groups()[i]);
        if (checkpoint.file.metadata().count(key)) state.begun[i] = std::uint64_t(metadata_number(checkpoint, key));
    }
    std::vector<std::vector<std::uint8_t>> host;
    for (const Stored& part : stored()) host.push_back(read(checkpoint, part, state, warn));
    // All is there and fits: only now is anything replaced.
    for (std::size_t i = 0; i < host.size(); ++i)
        device_.upload({}, stored()[i].arena.view().data, host[i].data(), host[i].size());
    for (std::size_t i = 1; i < params_.groups().size(); ++i)
        if (!holds(checkpoint.file, "", params_, params_.groups()[i])) initialise(params_.groups()[i], state.seed);
    params_.pack(exec());
    if (!holds(checkpoint.file, kAveragePrefix, params_, params_.groups().front())) optimizer_.start_average(exec());
    device_.synchronize({});
    write_state(state);
    steps_ = reported_ = std::int64_t(random_step);
}

Settings settings_of(const Checkpoint& checkpoint)
{
    return from_json(metadata_text(checkpoint, "settings"), checkpoint.file.path());
}

int threads_of(const Checkpoint& checkpoint)
{
    const std::int64_t threads = metadata_number(checkpoint, "threads");
    BIFRONS_CHECK(data, threads >= 1 && threads <= 1 << 16, checkpoint.file.path(), ": \"threads\" is ", threads,
                  "; expected 1 to ", 1 << 16);
    return int(threads);
}

} // namespace bifrons::model
