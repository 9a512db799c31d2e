#include "model/trainer.h"

#include "kernels/base/words.h"
#include "kernels/device/cpu_device.h"

#include <algorithm>
#include <charconv>

namespace bifrons::model {

using kernels::Exec;
using kernels::StepState;

namespace {

constexpr float kEyesMouthWeight = 300; // DeepFaceLab's

StepState* as_state(const Tensor& bytes)
{
    return static_cast<StepState*>(bytes.view().data);
}

/// The double of the shortest decimal that means this float: 5e-05, not 4.9999998737e-05.
double as_written(float value)
{
    char text[32];
    double written = 0;
    std::from_chars(text, std::to_chars(text, text + sizeof text, value).ptr, written);
    return written;
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
                      "\", which is not a block of this network; expected ", alternatives(net_.blocks()));
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
    kernels::run(ex, kernels::BeginStep{as_state(state_)});
    if (adversary_ && settings_.gan_update == "alternating") {
        update(ex, memory, Part::generator);
        update(ex, memory, Part::discriminators);
    } else {
        update(ex, memory, Part::all);
    }
    kernels::run(ex, kernels::NoteStep{as_state(state_), report_.size(), report_.view(), kReports,
                                       as_state(kept_states_), kept_losses_.view()});
}

void Trainer::update(Exec ex, Memory& memory, Part part)
{
    using Groups = Optimizer::Groups;
    const auto places = std::int64_t(objective_.generator_count());
    for (std::int64_t i = 0; i < settings_.accumulate; ++i)
        gradients(ex, memory, i, reports_ ? reports_.slice(i, i + 1).reshape({report_.size()}) : report_, part);
    ex.device->push_range("optimizer");
    if (reports_)
        kernels::run(ex, kernels::MeanLosses{settings_.accumulate, report_.size(), reports_.view(), report_.view()});
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

} // namespace bifrons::model
