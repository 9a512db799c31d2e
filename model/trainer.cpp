#include "model/trainer.h"

#include "kernels/device/cpu_device.h"
#include "model/trained.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace bifrons::model {

using kernels::Exec;
using kernels::StepState;

namespace {

constexpr float kEyesMouthWeight = 300; // DeepFaceLab's

StepState* as_state(const Tensor& bytes)
{
    return static_cast<StepState*>(bytes.view().data);
}

/// What the names of an optimizer's moments begin with. Rules with the same moments share it.
std::string moments_prefix(kernels::UpdateRule rule)
{
    switch (rule) {
    case kernels::UpdateRule::adam:
        return "adam.";
    case kernels::UpdateRule::adabelief:
    case kernels::UpdateRule::adabelief_dfl:
        return "adabelief.";
    case kernels::UpdateRule::rmsprop:
        return "rmsprop.";
    }
    return "";
}

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

/// Under which a checkpoint says how many updates were made before a group's first.
std::string begun_key(const Parameters::Group& group)
{
    return "begun." + group.name;
}

bool same_shape(const NamedTensor& t, const Shape& shape)
{
    bool same = int(t.shape.size()) == shape.rank();
    for (int i = 0; same && i < shape.rank(); ++i) same = t.shape[std::size_t(i)] == shape[i];
    return same;
}

/// The double of the shortest decimal that means this float: 5e-05, not 4.9999998737e-05.
double as_written(float value)
{
    char text[32];
    double written = 0;
    std::from_chars(text, std::to_chars(text, text + sizeof text, value).ptr, written);
    return written;
}

/// "a, b or c"
std::string listed(const std::vector<std::string>& names)
{
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i)
        text += str(i == 0 ? "" : i + 1 < names.size() ? ", " : " or ", names[i]);
    return text;
}

std::size_t bytes_of(const Tensor& tensor)
{
    return tensor ? tensor.bytes() : 0;
}

} // namespace

Trainer::Trainer(kernels::Device& device, const Settings& settings, BatchSource& training, BatchSource* validation,
                 DType dtype)
    : device_(device), settings_(settings), effect_(in_effect(settings)),
      precision_(precision_of(settings, device.target())), pool_(device), net_(params_, architecture_of(settings)),
      adversary_(params_, net_.architecture(), adversary_of(effect_)),
      perceptual_(effect_.perceptual_weight > 0
                      ? std::make_unique<Perceptual>(device, effect_.perceptual_file, effect_.perceptual_taps,
                                                     precision_, dtype, int(effect_.perceptual_downscale))
                      : nullptr),
      objective_(net_.architecture(),
                 {.mse = float(effect_.mse_weight),
                  .dssim = float(effect_.dssim_weight),
                  .mask = float(effect_.mask_weight),
                  .eyes_mouth = effect_.eyes_mouth_prio ? kEyesMouthWeight : 0.0f,
                  .perceptual = float(effect_.perceptual_weight),
                  .masked_training = effect_.masked_training,
                  .style = {float(effect_.face_style_power), float(effect_.bg_style_power)}},
                 perceptual_.get(), &adversary_, &net_),
      optimizer_(params_, optimizer_of(effect_)), training_(training), validation_(validation)
{
    for (const std::string& block : frozen_blocks(settings_))
        BIFRONS_CHECK(usage, params_.freeze(block) > 0, "settings: freeze names \"", block,
                      "\", which is not a block of this network; expected ", listed(net_.blocks()));
    for (const Parameters::Group& group : params_.groups()) {
        const auto learns = [&](const Parameters::Entry& e) {
            return e.offset >= group.begin && e.offset < group.end && !e.frozen;
        };
        BIFRONS_CHECK(usage, std::any_of(params_.entries().begin(), params_.entries().end(), learns),
                      "settings: freeze is \"", settings_.freeze, "\", which leaves nothing of the ", group.name,
                      " to train. Leave a block out.");
    }
    BIFRONS_CHECK(usage, !perceptual_ || perceptual_->fits(settings_.resolution), "settings: pictures of ",
                  settings_.resolution / settings_.perceptual_downscale, " px, which is resolution ",
                  settings_.resolution, " / perceptual_downscale ", settings_.perceptual_downscale,
                  ", are too small for the taps of ", settings_.perceptual_file,
                  ". Name shallower perceptual_taps or a smaller perceptual_downscale.");
    allocate(dtype);
    const bool planning = device.kind() == kernels::DeviceKind::plan;
    if (!planning) params_.initialise(exec(), std::uint64_t(settings.seed));
    optimizer_.start_average(exec());
    write_state({.seed = std::uint64_t(settings.seed), .learning_rate = float(settings.learning_rate)});
    step_ = std::make_unique<Step>(device_, kernels::Stream{},
                                   [this](Exec ex, Memory& memory) { training_step(ex, memory); });
    if (validation_)
        validate_ = std::make_unique<Step>(device_, kernels::Stream{}, [this](Exec ex, Memory& memory) {
            batch_.first = 0;
            validation_->enqueue(ex, as_state(state_), batch_);
            Tape tape(ex, memory, false, precision_);
            losses(tape, report_, Part::all);
        });
    if (validate_) validate_->share(*step_);
}

void Trainer::allocate(DType dtype)
{
    params_.allocate(exec(), dtype, pool_);
    if (precision_ == Precision::bf16) params_.allocate_packed(pool_);
    optimizer_.allocate(exec(), pool_);
    const std::int64_t both = 2 * settings_.batch_size, side = settings_.resolution;
    batch_ = {.input = Tensor::empty({both, side, side, 3}, dtype, pool_),
              .target = Tensor::empty({both, side, side, 3}, dtype, pool_),
              .mask = Tensor::empty({both, side, side, 1}, dtype, pool_)};
    if (settings_.eyes_mouth_prio) batch_.eyes_mouth = Tensor::empty({both, side, side, 1}, dtype, pool_);
    report_ = Tensor::empty({std::int64_t(objective_.names().size())}, dtype, pool_);
    if (settings_.accumulate > 1) {
        reports_ = Tensor::empty({settings_.accumulate, report_.size()}, dtype, pool_);
        device_.fill({}, reports_.view().data, 0, reports_.bytes()); // a part's places are read with the others'
    }
    share_ = Tensor::empty({1}, dtype, pool_);
    if (device_.kind() != kernels::DeviceKind::plan)
        share_.upload<double>(exec(), {1.0 / double(settings_.accumulate)});
    state_ = Tensor::empty({std::int64_t(sizeof(StepState))}, DType::u8, pool_);
    kept_states_ = Tensor::empty({kReports * std::int64_t(sizeof(StepState))}, DType::u8, pool_);
    kept_losses_ = Tensor::empty({kReports, report_.size()}, dtype, pool_);
}

void Trainer::training_step(Exec ex, Memory& memory)
{
    kernels::begin_step(ex, as_state(state_));
    if (adversary_ && settings_.gan_update == "alternating") {
        update(ex, memory, Part::generator);
        update(ex, memory, Part::discriminators);
    } else {
        update(ex, memory, Part::all);
    }
    kernels::note_step(ex, as_state(state_), report_.size(), report_.view(), kReports, as_state(kept_states_),
                       kept_losses_.view());
}

void Trainer::update(Exec ex, Memory& memory, Part part)
{
    using Groups = Optimizer::Groups;
    const auto places = std::int64_t(objective_.generator_count());
    for (std::int64_t i = 0; i < settings_.accumulate; ++i)
        gradients(ex, memory, i, reports_ ? reports_.slice(i, i + 1).reshape({report_.size()}) : report_, part);
    ex.device->push_range("optimizer");
    if (reports_) kernels::mean_losses(ex, settings_.accumulate, report_.size(), reports_.view(), report_.view());
    if (part == Part::all) optimizer_.step(ex, as_state(state_), report_, Groups::all);
    if (part == Part::generator) optimizer_.step(ex, as_state(state_), report_.slice(0, places), Groups::first);
    if (part == Part::discriminators)
        optimizer_.step(ex, as_state(state_), report_.slice(places, report_.size() - 1), Groups::others);
    ex.device->pop_range();
}

void Trainer::gradients(Exec ex, Memory& memory, std::int64_t number, const Tensor& report, Part part)
{
    batch_.first = number * settings_.batch_size;
    training_.enqueue(ex, as_state(state_), batch_);
    Tape tape(ex, memory, true, precision_);
    tape.backward(losses(tape, report, part), share_, number > 0);
}

Var Trainer::losses(Tape& tape, const Tensor& report, Part part) const
{
    const auto reconstruct = [&] { return net_.reconstruct(tape, Var(batch_.input)); };
    if (part != Part::discriminators) return objective_(tape, reconstruct(), batch_, report, part);
    const auto made = [&] { // for discriminators alone the generator needs no gradient
        const Tape::FrozenParameters constants(tape);
        return reconstruct();
    }();
    return objective_(tape, made, batch_, report, part);
}

void Trainer::reserve()
{
    step_->reserve();
    if (validate_) validate_->reserve();
}

void Trainer::step()
{
    step_->run();
    ++steps_;
}

StepReport Trainer::report()
{
    return report_of(read_state(), report_.download<double>(exec()).data());
}

std::vector<StepReport> Trainer::reports()
{
    std::vector<StepState> states(static_cast<std::size_t>(kReports));
    device_.copy({}, states.data(), kept_states_.view().data, kept_states_.bytes());
    const std::vector<double> losses = kept_losses_.download<double>(exec()); // waits
    std::vector<StepReport> list;
    for (std::int64_t step = std::max(reported_, steps_ - kReports) + 1; step <= steps_; ++step) {
        const std::int64_t row = step % kReports;
        list.push_back(report_of(states[std::size_t(row)], losses.data() + row * report_.size()));
    }
    reported_ = steps_;
    return list;
}

StepReport Trainer::report_of(const StepState& state, const double* losses) const
{
    return {.names = objective_.names(),
            .values = std::vector<double>(losses, losses + report_.size()),
            .grad_norm = state.grad_norm[0],
            .learning_rate = as_written(state.rate),
            .step = std::int64_t(state.step),
            .skipped = state.skip != 0,
            .bad_steps = int(state.bad_steps)};
}

StepReport Trainer::validate()
{
    BIFRONS_CHECK(bug, validate_, "validate: no held-out faces");
    validate_->run();
    StepReport r = report();
    r.skipped = false;
    return r;
}

int Trainer::choose_threads()
{
    auto* cpu = dynamic_cast<kernels::CpuDevice*>(&device_);
    if (!cpu || cpu->threads() == 1) return cpu ? 1 : 0;
    const auto milliseconds = [&](int threads) {
        cpu->set_threads(threads);
        Step probe(device_, {}, [this](Exec ex, Memory& memory) { gradients(ex, memory, 0, report_, Part::all); });
        probe.run(); // creates what is created once
        double best = 1e300;
        for (double spent = 0; spent < 300;) {
            const auto begin = device_.record_event({});
            probe.run();
            device_.synchronize({});
            const double ms = device_.elapsed_ms(*begin, *device_.record_event({}));
            best = std::min(best, ms);
            spent += std::max(ms, 1.0);
        }
        return best;
    };
    const int all = cpu->threads();
    const double with_all = milliseconds(all), with_one = milliseconds(1);
    cpu->set_threads(with_one < with_all ? 1 : all);
    replan();
    return cpu->threads();
}

void Trainer::replan()
{
    step_->invalidate();
    if (validate_) validate_->invalidate();
}

StepState Trainer::read_state() const
{
    StepState state;
    device_.copy({}, &state, state_.view().data, sizeof state);
    device_.synchronize({});
    return state;
}

void Trainer::write_state(const StepState& state)
{
    device_.copy({}, state_.view().data, &state, sizeof state);
    device_.synchronize({});
}

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
    Metadata metadata = {{"settings", to_json(settings_)},
                         {"seed", str(state.seed)},
                         {"applied", str(state.applied)},
                         {"bad_steps", str(state.bad_steps)},
                         {"threads", str(device_.target().threads)}};
    for (std::size_t i = 0; i < params_.groups().size(); ++i)
        metadata[begun_key(params_.groups()[i])] = str(state.begun[i]);
    store.save(std::int64_t(state.step), tensors, metadata);
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

/// Numbers of the parameters of these blocks.
std::vector<int> Trainer::parameters_of(const std::vector<std::string>& blocks) const
{
    std::vector<int> numbers;
    for (const std::string& block : blocks) {
        const std::vector<int> more = params_.block(block);
        BIFRONS_CHECK(usage, !more.empty(), "the network has no block \"", block, "\"; expected ",
                      listed(net_.blocks()));
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

MemoryUse Trainer::memory_use()
{
    return {.weights = params_.weights().bytes(),
            .packed = params_.packed() ? params_.packed().bytes() : 0,
            .gradients = params_.gradients().bytes(),
            .moments = bytes_of(optimizer_.mean()) + bytes_of(optimizer_.square()),
            .average = bytes_of(optimizer_.average()),
            .batch = batch_.input.bytes() + batch_.target.bytes() + batch_.mask.bytes() + bytes_of(batch_.eyes_mouth),
            .activations = step_->planned_bytes() - step_->workspace_bytes(),
            .workspace = step_->workspace_bytes(),
            .validation = validate_ ? validate_->own_bytes() : 0,
            .perceptual = perceptual_ ? perceptual_->network().bytes() : 0};
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
