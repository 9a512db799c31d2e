#include "tools/training_run.h"

#include "engine/own_file.h"
#include "kernels/base/words.h"
#include "kernels/device/cpu_device.h"
#include "model/preset.h"
#include "model/trainer.h"
#include "tools/coverage_report.h"
#include "tools/event_file.h"
#include "tools/history.h"
#include "tools/interrupt.h"
#include "tools/loss_watch.h"
#include "tools/open_model.h"
#if BIFRONS_HAS_MEDIA
#include "tools/preview_frame.h"
#endif
#include "tools/preview_sheet.h"
#include "tools/progress.h"
#include "tools/training_data.h"

#include <algorithm>
#include <filesystem>

namespace bifrons::tools {

namespace {

namespace fs = std::filesystem;
using model::Settings;
using model::StepReport;

constexpr int kBadStepsBeforeRollBack = 10; // skipped in a row
constexpr int kRollBacks = 3;               // without a checkpoint in between
constexpr int kBackups = 24;                // that are kept

/// The words of a list with commas.
std::vector<std::string> words_of(const std::string& list)
{
    std::vector<std::string> words = split(list);
    std::erase(words, "");
    return words;
}

/// What a step costs here, once a few have been timed. The first one is not: it prepares what the others use.
class StepCost {
  public:
    /// After step `step`, whose work is done. Seconds a step; nothing before there is enough to tell, or once told.
    std::optional<double> after(std::int64_t step)
    {
        constexpr std::int64_t kSteps = 10;
        const double now_s = Progress::steady_seconds();
        if (!begin_) begin_ = {step, now_s};
        if (told_ || step < begin_->first + kSteps) return {};
        told_ = true;
        return (now_s - begin_->second) / double(step - begin_->first);
    }

  private:
    std::optional<std::pair<std::int64_t, double>> begin_; ///< step and time
    bool told_ = false;
};

/// One training run from start or resume to its end. Nothing is written until it stands, so that a start which is
/// refused leaves nothing behind.
class Run {
  public:
    Run(const TrainingOptions& o, Console& console, kernels::Device& device, const Settings& settings,
        CheckpointStore& store, const std::optional<Checkpoint>& latest, data::Faceset src, data::Faceset dst)
        : o_(o), console_(console), settings_(settings), store_(store), device_(device),
          data_(device_, model::in_effect(settings), std::move(src), std::move(dst), console_,
                o.verify ? Changed::refuse : Changed::accept),
          trainer_(device_, settings, data_.training(), data_.validation()),
          preview_(device_, trainer_.network(), data_.src().samples(console_), data_.dst().samples(console_),
                   IdentityData::kPreviewRows, trainer_.precision()),
          history_(fs::path(o.folder) / "history.jsonl"), resumed_(latest)
    {
        if (latest) trainer_.restore(*latest, [&](const std::string& text) { console_.warn(text); });
        saved_ = trainer_.steps();
        start_blocks(latest);
        choose_threads(latest);
        trainer_.reserve();
        preview_.share(trainer_.shared_step());
        preview_.reserve();
#if BIFRONS_HAS_MEDIA
        if (!o.preview_frame.empty()) {
            frame_.emplace(device_, trainer_.network(), data::face_type_of(settings.face_type), trainer_.precision(),
                           o.preview_frame);
            frame_->share(trainer_.shared_step());
        }
#endif
        if (!o.tensorboard.empty()) events_.emplace(o.tensorboard, trainer_.steps());
    }

    void train()
    {
        announce();
        keep_started_blocks();
        tell_exchange();
        history_.begin(trainer_.steps(), settings_, sides());
        if (events_) history_.also(*events_);
        Progress progress(console_, "train", "steps", last_step(), trainer_.steps());
        if (o_.minutes > 0) progress.limit_time(60 * o_.minutes);
        looked_s_ = Progress::steady_seconds();
        const double end_s = o_.minutes > 0 ? looked_s_ + 60 * o_.minutes : 0;
        while (!done(end_s)) {
            trainer_.step();
            if (!time_to_look()) continue;
            const std::vector<StepReport> reports = trainer_.reports();
            step_s_ = (Progress::steady_seconds() - looked_s_) / double(reports.size());
            take_in(reports);
            if (const auto cost_s = cost_.after(trainer_.steps())) tell_cost(*cost_s);
            progress.update(reports.back().step, shown(reports.back()));
            looked_s_ = Progress::steady_seconds();
        }
        finish();
    }

  private:
    bool done(double end_s) const
    {
        if (interrupted() || (last_step() > 0 && trainer_.steps() >= last_step())) return true;
        return end_s > 0 && Progress::steady_seconds() >= end_s;
    }

    /// 0: no limit.
    std::int64_t last_step() const
    {
        if (o_.steps == 0 || settings_.target_iter == 0) return std::max(o_.steps, settings_.target_iter);
        return std::min(o_.steps, settings_.target_iter);
    }

    /// Looking waits for the device, so a fast one is left alone for a few steps.
    bool time_to_look() const
    {
        constexpr double kPatience_s = 0.05;
        const std::int64_t step = trainer_.steps();
        return step % History::kSteps == 0 || step == last_step() || due(settings_.preview_every, step) ||
               due(settings_.save_every, step) || double(trainer_.unreported()) * step_s_ > kPatience_s;
    }

    /// Blocks that do not continue with the weights they have.
    void start_blocks(const std::optional<Checkpoint>& latest)
    {
        if (!o_.init_from.empty() && latest) {
            console_.say(str("--init-from is for a new model: ignored, as ", o_.folder, " has its own weights"));
        } else if (!o_.init_from.empty()) {
            const Checkpoint from = open_checkpoint(o_.init_from, console_);
            const auto blocks = o_.init_blocks.empty() ? trainer_.network().blocks() : words_of(o_.init_blocks);
            trainer_.take_blocks(from, blocks);
            console_.say(str("initialised from ", from.file.path(), ": ", joined(blocks)));
        }
        BIFRONS_CHECK(usage, o_.init_blocks.empty() || !o_.init_from.empty(),
                      "--init-blocks needs the model to take them from. Add --init-from MODEL.");
        std::vector<std::string> fresh = words_of(o_.reset);
        if (latest && model::settings_of(*latest).pretrain && !settings_.pretrain)
            for (const std::string& block : trainer_.network().identity_blocks()) fresh.push_back(block);
        refuse_frozen_noise(latest, fresh);
        if (!fresh.empty()) {
            trainer_.reset_blocks(fresh);
            console_.say(str("reinitialised: ", joined(fresh)));
        }
        blocks_started_ = !fresh.empty() || (!o_.init_from.empty() && !latest);
    }

    /// A return to the last checkpoint returns to these; a model whose blocks are reinitialised is backed up first.
    void keep_started_blocks()
    {
        if (!blocks_started_) return;
        if (resumed_) store_.back_up(trainer_.steps(), kBackups);
        save();
    }

    /// A block that holds the random values it started with must learn.
    void refuse_frozen_noise(const std::optional<Checkpoint>& latest, const std::vector<std::string>& fresh) const
    {
        const std::vector<std::string> taken = latest || (!o_.init_from.empty() && o_.init_blocks.empty())
                                                   ? trainer_.network().blocks()
                                                   : words_of(o_.init_blocks);
        const auto has = [](const std::vector<std::string>& list, const std::string& word) {
            return std::find(list.begin(), list.end(), word) != list.end();
        };
        for (const std::string& block : model::frozen_blocks(settings_))
            BIFRONS_CHECK(usage, has(taken, block) && !has(fresh, block), "train: ", block,
                          " has random weights and is frozen",
                          has(words_of(settings_.freeze), block) ? "" : " (liae without random_warp freezes it)",
                          ". Train it first, or take it from a trained model with --init-from.");
    }

    void choose_threads(const std::optional<Checkpoint>& latest)
    {
        auto* cpu = dynamic_cast<kernels::CpuDevice*>(&device_);
        if (!cpu || o_.device.rfind("cpu:", 0) == 0) return;
        if (settings_.threads > 0) return cpu->set_threads(int(settings_.threads));
        if (latest) {
            const int threads = model::threads_of(*latest);
            if (threads <= kernels::CpuDevice::usable_threads()) return cpu->set_threads(threads);
            console_.warn(str("the checkpoint was made with ", threads, " threads, ",
                              kernels::CpuDevice::usable_threads(),
                              " are available here: training resumes, but not bit for bit"));
        }
        if (cpu->threads() > 1) console_.say(str("worker threads ", trainer_.choose_threads(), " (the fastest here)"));
    }

    void announce()
    {
        const model::MemoryUse use = trainer_.memory_use();
        console_.say(str("model ", settings_.archi, " ", settings_.resolution, " px, ", trainer_.parameters().count(),
                         " parameters, in ", precision_name(trainer_.precision()), "; faces ", faces_text(data_.src()),
                         " src, ", faces_text(data_.dst()), " dst"));
        console_.say(str("memory ", human_bytes(double(use.total() + data_.bytes() + preview_.planned_bytes())),
                         " (activations ", human_bytes(double(use.activations)),
                         ", planned); `bifrons plan` lists it"));
        if (history_.last_sides() != sides()) tell_footage(); // else the runs before have said it
        if (trainer_.steps() > 0) console_.say(str("resuming from step ", trainer_.steps()));
        if (trainer_.steps() < 300)
            console_.say("for the first few hundred steps the preview is a blur: that is normal");
    }

    void tell_footage() const
    {
        for (const auto& [folder, identity] : {std::pair{o_.src, &data_.src()}, {o_.dst, &data_.dst()}})
            if (const std::string few = few_held_out(held_out_faces(*identity), folder); !few.empty())
                console_.warn(few);
        tell_coverage(data_.src().faceset(), data_.dst().faceset(), settings_, console_);
    }

    Sides sides() const
    {
        return {footage_of(data_.src().faceset()), footage_of(data_.dst().faceset())};
    }

    /// Facesets that changed places since the last run.
    void tell_exchange() const
    {
        const std::optional<Sides> before = history_.last_sides();
        if (before && are_exchanged(*before, sides()))
            console_.warn(str("source and destination are exchanged: ", o_.src, " was the destination when ", o_.folder,
                              " was trained before, and ", o_.dst,
                              " the source. Stop and exchange them, unless that "
                              "is what you want."));
    }

    void tell_cost(double step_s)
    {
        std::string text = str("a step takes ", seconds_text(step_s), " here");
        if (!o_.named.preset.empty()) {
            const model::Preset& preset = model::preset_named(o_.named.preset);
            const double left_s = step_s * double(std::max<std::int64_t>(0, preset.steps - trainer_.steps()));
            if (left_s > 0)
                text += str("; a usable face needs about ", preset.steps, " steps (", preset.basis,
                            "): ", duration_text(left_s), " from now");
        }
        console_.say(text);
    }

    static std::int64_t held_out_faces(const IdentityData& identity)
    {
        return identity.held_out() ? identity.held_out()->view().count : 0;
    }

    static std::string faces_text(const IdentityData& identity)
    {
        return str(identity.training().view().count, " (and ", held_out_faces(identity), " held out)");
    }

    Values shown(const StepReport& report) const
    {
        Values values = {{"loss", report.total()}, {"learning_rate", report.learning_rate}};
        if (validation_loss_) values.emplace_back("held-out", *validation_loss_);
        return values;
    }

    /// What was done after a step that made the run roll back does not count.
    void take_in(const std::vector<StepReport>& reports)
    {
        for (const StepReport& report : reports)
            if (!after_step(report)) return;
    }

    /// False: rolled back.
    bool after_step(const StepReport& report)
    {
        history_.add(report);
        loss_ = report.total();
        if (report.skipped) return step_was_skipped(report);
        if (watch_.collapses(report.total()))
            console_.warn(str("the loss has been ", watch_.mean(), " for a while and was ", watch_.least(),
                              " before: training has collapsed. Stop it, go back to an earlier checkpoint, and lower "
                              "learning_rate or set clipgrad=1."));
        if (due(settings_.save_every, report.step)) save();
        if (due(settings_.preview_every, report.step)) look(report.step);
        return true;
    }

    static bool due(std::int64_t every, std::int64_t step)
    {
        return every > 0 && step % every == 0;
    }

    std::string caption(std::int64_t step) const
    {
        const auto loss = [](const char* name, const std::optional<double>& value) {
            if (!value) return std::string();
            char text[40];
            std::snprintf(text, sizeof text, "   %s %.4g", name, *value);
            return std::string(text);
        };
        return str("step ", step, loss("loss", loss_), loss("held-out loss", validation_loss_));
    }

    /// Validation loss and preview.
    void look(std::int64_t step)
    {
        if (data_.validation()) {
            const StepReport held_out = trainer_.validate();
            validation_loss_ = held_out.total();
            history_.add_validation(held_out);
        }
        keep_picture("preview", "", preview_.draw(caption(step)), step);
#if BIFRONS_HAS_MEDIA
        if (frame_) keep_picture("preview-frame", "-frame", frame_->draw(), step);
#endif
    }

    /// name.png in the model's folder, and step-000000500ending.png in previews/ if all are kept.
    void keep_picture(const std::string& name, const std::string& ending, const data::Image& picture, std::int64_t step)
    {
        const fs::path folder = o_.folder;
        if (settings_.write_preview_history) {
            make_own_folder((folder / "previews").string());
            char number[40];
            std::snprintf(number, sizeof number, "step-%09lld", static_cast<long long>(step));
            data::save_image(folder / "previews" / (number + ending + ".png"), picture,
                             {.existing = data::Existing::replace});
        }
        data::save_image(folder / (name + ".png"), picture, {.existing = data::Existing::replace});
        if (!events_) return;
        const std::vector<std::uint8_t> png = data::read_file(folder / (name + ".png"));
        events_->add_picture(step, name, picture.H, picture.W, {reinterpret_cast<const char*>(png.data()), png.size()});
    }

    void save()
    {
        trainer_.save(store_);
        saved_ = trainer_.steps();
        roll_backs_ = 0;
        constexpr double kHour = 3600;
        if (settings_.autobackup_hour == 0 ||
            Progress::steady_seconds() - backed_up_s_ < kHour * double(settings_.autobackup_hour))
            return;
        store_.back_up(saved_, kBackups);
        backed_up_s_ = Progress::steady_seconds();
    }

    bool step_was_skipped(const StepReport& report)
    {
        console_.warn(str("step ", report.step, " skipped: a loss or a gradient is not finite (gradient norm ",
                          report.grad_norm, "); the weights are unchanged"));
        if (report.bad_steps < kBadStepsBeforeRollBack) return true;
        const auto good = store_.latest([&](const std::string& text) { console_.warn(text); });
        BIFRONS_CHECK(failed, good && ++roll_backs_ <= kRollBacks, "train: ", report.bad_steps,
                      " steps in a row were not finite",
                      good ? str(", after ", kRollBacks, " rollbacks to the last checkpoint")
                           : std::string(" before the first checkpoint"),
                      ". Lower learning_rate, or set clipgrad=1.");
        trainer_.roll_back(*good);
        console_.warn(str("rolled back to the weights of step ", good->step));
        return false;
    }

    void finish()
    {
        take_in(trainer_.reports()); // an interruption came between two looks
        if (trainer_.steps() > saved_ || trainer_.steps() == 0) {
            save();
            look(trainer_.steps());
        }
        history_.flush();
        console_.result(str(interrupted() ? "interrupted; " : "", "saved at step ", trainer_.steps(), " in ", o_.folder,
                            loss_ ? str("; loss ", *loss_) : "", "; preview ",
                            (fs::path(o_.folder) / "preview.png").string(),
                            o_.reset.empty() ? "\nThe same command resumes from here.\n"
                                             : "\nThe same command without --reset resumes from here.\n"),
                        {{"step", trainer_.steps()},
                         {"model", o_.folder},
                         {"loss", loss_ ? Json(*loss_) : Json()},
                         {"interrupted", interrupted()},
                         {"preview", (fs::path(o_.folder) / "preview.png").string()}});
    }

    const TrainingOptions& o_;
    Console& console_;
    const Settings settings_;
    CheckpointStore& store_;
    kernels::Device& device_;
    TrainingData data_;
    model::Trainer trainer_;
    PreviewSheet preview_;
#if BIFRONS_HAS_MEDIA
    std::optional<PreviewFrame> frame_; // --preview-frame
#endif
    History history_;
    std::optional<EventFile> events_; // --tensorboard
    StepCost cost_;
    LossWatch watch_;
    std::optional<double> loss_, validation_loss_; // newest
    std::int64_t saved_ = 0;
    const bool resumed_;
    bool blocks_started_ = false; // from another model, or reinitialised
    double backed_up_s_ = Progress::steady_seconds();
    double looked_s_ = 0, step_s_ = 1; // when it was looked last; what a step took then
    int roll_backs_ = 0;
};

} // namespace

void train(const TrainingOptions& options, Console& console, kernels::Device& device, const Settings& settings,
           CheckpointStore& store, const std::optional<Checkpoint>& latest, data::Faceset src, data::Faceset dst)
{
    Run(options, console, device, settings, store, latest, std::move(src), std::move(dst)).train();
}

} // namespace bifrons::tools
