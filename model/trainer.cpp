#include "model/trainer.h"

#include "kernels/device/cpu_device.h"
#include "model/trained.h"

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

OptimizerOptions optimizer_options(const Settings& s)
{
    return {
        .update = {.beta1 = float(s.beta1), .beta2 = float(s.beta2), .eps = float(s.eps), .clip = float(s.clipgrad)}};
}

const std::string& metadata_text(const Checkpoint& checkpoint, const std::string& key)
{
    const Metadata& metadata = checkpoint.file.metadata();
    const auto it = metadata.find(key);
    BIFRONS_CHECK(data, it != metadata.end(), checkpoint.file.path(), ": has no \"", key,
                  "\"; a checkpoint of `bifrons train` expected");
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

Trainer::Trainer(kernels::Device& device, const Settings& settings, BatchSource& training, BatchSource* validation,
                 DType dtype)
    : device_(device), settings_(settings), precision_(precision_of(settings, device.target())), pool_(device),
      net_(params_, architecture_of(settings)),
      objective_(net_.architecture(), {.mse = float(settings.mse_weight),
                                       .dssim = float(settings.dssim_weight),
                                       .mask = float(settings.mask_weight),
                                       .eyes_mouth = settings.eyes_mouth_prio ? kEyesMouthWeight : 0.0f,
                                       .masked_training = settings.masked_training}),
      optimizer_(params_, optimizer_options(settings)), training_(training), validation_(validation)
{
    allocate(dtype);
    const bool planning = device.kind() == kernels::DeviceKind::plan;
    if (!planning) params_.initialise(exec(), std::uint64_t(settings.seed));
    write_state({.seed = std::uint64_t(settings.seed), .learning_rate = float(settings.learning_rate)});
    step_ = std::make_unique<Step>(device_, kernels::Stream{},
                                   [this](Exec ex, Memory& memory) { training_step(ex, memory); });
    if (validation_)
        validate_ = std::make_unique<Step>(device_, kernels::Stream{}, [this](Exec ex, Memory& memory) {
            validation_->enqueue(ex, as_state(state_), batch_);
            losses_and_gradients(ex, memory, false);
        });
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
    one_ = Tensor::empty({1}, dtype, pool_);
    if (device_.kind() != kernels::DeviceKind::plan) one_.upload<float>(exec(), {1});
    state_ = Tensor::empty({std::int64_t(sizeof(StepState))}, DType::u8, pool_);
    kept_states_ = Tensor::empty({kReports * std::int64_t(sizeof(StepState))}, DType::u8, pool_);
    kept_losses_ = Tensor::empty({kReports, report_.size()}, dtype, pool_);
}

void Trainer::training_step(Exec ex, Memory& memory)
{
    kernels::begin_step(ex, as_state(state_));
    training_.enqueue(ex, as_state(state_), batch_);
    losses_and_gradients(ex, memory, true);
    ex.device->push_range("optimizer");
    optimizer_.step(ex, as_state(state_), report_);
    kernels::note_step(ex, as_state(state_), report_.size(), report_.view(), kReports, as_state(kept_states_),
                       kept_losses_.view());
    ex.device->pop_range();
}

void Trainer::losses_and_gradients(Exec ex, Memory& memory, bool want_gradients)
{
    Tape tape(ex, memory, want_gradients, precision_);
    const Var total = objective_(tape, net_.reconstruct(tape, Var(batch_.input)), batch_, report_);
    if (want_gradients) tape.backward(total, one_);
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
            .step = std::int64_t(state.step),
            .skipped = state.skip != 0,
            .bad_steps = int(state.bad_steps)};
}

StepReport Trainer::validate()
{
    BIFRONS_CHECK(bug, validate_, "validate: there is no held-out source");
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
        Step probe(device_, {}, [this](Exec ex, Memory& memory) {
            training_.enqueue(ex, as_state(state_), batch_);
            losses_and_gradients(ex, memory, true);
        });
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

std::vector<std::pair<std::string, Tensor>> Trainer::arenas() const
{
    return {{"", params_.weights()}, {"adam.m.", optimizer_.mean()}, {"adam.v.", optimizer_.square()}};
}

void Trainer::save(CheckpointStore& store)
{
    std::vector<std::vector<std::uint8_t>> host;
    std::vector<NamedTensor> tensors;
    for (const auto& [prefix, arena] : arenas()) {
        auto& bytes = host.emplace_back(arena.bytes());
        device_.copy({}, bytes.data(), arena.view().data, bytes.size());
        device_.synchronize({});
        for (const Parameters::Entry& e : params_.entries()) {
            std::vector<std::int64_t> shape;
            for (int i = 0; i < e.shape.rank(); ++i) shape.push_back(e.shape[i]);
            const std::size_t offset = std::size_t(e.offset) * kernels::dtype_bytes(arena.dtype());
            tensors.push_back({prefix + e.name, arena.dtype(), shape, bytes.data() + offset});
        }
    }
    const StepState state = read_state();
    store.save(std::int64_t(state.step), tensors,
               {{"settings", to_json(settings_)},
                {"seed", str(state.seed)},
                {"applied", str(state.applied)},
                {"bad_steps", str(state.bad_steps)},
                {"threads", str(device_.target().threads)}});
}

void Trainer::restore(const Checkpoint& checkpoint)
{
    restore(checkpoint, std::uint64_t(checkpoint.step));
}

void Trainer::roll_back(const Checkpoint& checkpoint)
{
    restore(checkpoint, read_state().step);
}

void Trainer::restore(const Checkpoint& checkpoint, std::uint64_t random_step)
{
    std::vector<std::vector<std::uint8_t>> host;
    for (const auto& [prefix, arena] : arenas())
        host.push_back(read_arena(checkpoint.file, prefix, params_, arena.dtype()));
    // All is there and fits: only now is anything replaced.
    for (std::size_t i = 0; i < host.size(); ++i)
        device_.copy({}, arenas()[i].second.view().data, host[i].data(), host[i].size());
    params_.pack(exec());
    device_.synchronize({});
    write_state({.seed = std::uint64_t(metadata_number(checkpoint, "seed")),
                 .step = random_step,
                 .applied = std::uint64_t(metadata_number(checkpoint, "applied")),
                 .learning_rate = float(settings_.learning_rate),
                 .bad_steps = std::uint32_t(metadata_number(checkpoint, "bad_steps"))});
    steps_ = reported_ = std::int64_t(random_step);
}

MemoryUse Trainer::memory_use()
{
    return {.weights = params_.weights().bytes(),
            .packed = params_.packed() ? params_.packed().bytes() : 0,
            .gradients = params_.gradients().bytes(),
            .moments = optimizer_.mean().bytes() + optimizer_.square().bytes(),
            .batch = batch_.input.bytes() + batch_.target.bytes() + batch_.mask.bytes() +
                     (batch_.eyes_mouth ? batch_.eyes_mouth.bytes() : 0),
            .activations = step_->planned_bytes() - step_->workspace_bytes(),
            .workspace = step_->workspace_bytes()};
}

Settings settings_of(const Checkpoint& checkpoint)
{
    return from_json(metadata_text(checkpoint, "settings"), checkpoint.file.path());
}

int threads_of(const Checkpoint& checkpoint)
{
    return int(metadata_number(checkpoint, "threads"));
}

} // namespace bifrons::model
