// tools/history.h - training history as JSON lines: model folder/history.jsonl.
//
//   {"event":"begin","step":0,"time":"2026-01-31T12:00:00Z","settings":{...},"src":["clip.mp4 0123456789abcdef"],
//    "dst":[...]}
//   {"event":"steps","step":10,"steps":10,"seconds":0.98,"losses":{"src_dssim":...,"total":...},"grad_norm":...,
//    "learning_rate":...,"skipped":0}
//   {"event":"validation","step":500,"losses":{...}}
//
// Losses and norm are means over the steps of a line, the learning rate is its last step's; "seconds" is what they
// took. A run that resumes after a crash begins at the step of its checkpoint: of lines that repeat a step, the later
// ones count.
#pragma once

#include "data/faceset.h"
#include "model/trainer.h"
#include "tools/event_file.h"

#include <filesystem>
#include <optional>
#include <set>

namespace bifrons::tools {

/// What the facesets were extracted from: file names, with fingerprints where there are any.
struct Sides {
    std::set<std::string> src = {}, dst = {};
    bool operator==(const Sides&) const = default;
};
std::set<std::string> footage_of(const data::Faceset& set);
/// Either side has now what only the other one had.
bool are_exchanged(const Sides& before, const Sides& now);

class History {
  public:
    explicit History(std::filesystem::path path) : path_(std::move(path)) {}
    void begin(std::int64_t step, const model::Settings& settings, const Sides& sides);
    /// Of the run before this one, as far as it is known.
    std::optional<Sides> last_sides() const;
    /// Writes a line every kSteps steps.
    void add(const model::StepReport& report);
    void add_validation(const model::StepReport& report);
    /// Writes what has been collected.
    void flush();
    /// Its lines go there, too, from now on.
    void also(const EventFile& events) { events_ = &events; }

    static constexpr int kSteps = 10;

  private:
    void write(const std::string& line) const;

    std::filesystem::path path_;
    const EventFile* events_ = nullptr;
    model::StepReport sum_;
    int collected_ = 0, skipped_ = 0;
    double since_s_ = 0;
};

} // namespace bifrons::tools
