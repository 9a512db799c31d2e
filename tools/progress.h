// tools/progress.h - the progress of long work: a bar with rate and remaining time on a terminal, a plain line now and
// then elsewhere, JSON lines with --json.     Tests  tests/tools/progress_test.cpp
#pragma once

#include "tools/console.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace bifrons::tools {

/// Named numbers shown beside the progress, e.g. losses.
using Values = std::vector<std::pair<std::string, double>>;

/// Items a second over the last ten seconds.
class Rate {
  public:
    void add(double time_s, std::int64_t done);
    /// 0 until something was done.
    double per_second() const;

  private:
    std::deque<std::pair<double, std::int64_t>> points_;
};

/// A moment of the work.
struct Moment {
    std::string doing, unit; ///< "extract", "frames"
    std::int64_t done = 0;
    std::int64_t total = 0; ///< 0: unknown
    double rate = 0;        ///< units a second; 0: unknown
    Values values = {};
    double time_left_s = -1; ///< of a limited time; -1: no limit

    double remaining_s() const; ///< to the first of both limits; -1: unknown
};

/// "extract  [######------]  31/62 frames  50%  25.0/s  0:01 left  faces 30", at most `columns` wide.
std::string bar_text(const Moment& moment, int columns);
/// The same without the bar.
std::string plain_text(const Moment& moment);
Json json_values(const Moment& moment);

/// "0:07", "12:00", "3:05:09".
std::string duration_text(double seconds);
/// A short time: "7.2 ms", "0.31 s", "12 s".
std::string seconds_text(double seconds);

/// See Console::begin_work().
enum class Stage { preparation, work };

class Progress {
  public:
    using Clock = std::function<double()>; // seconds

    /// total 0: unknown. `done` counts what an earlier run did.
    Progress(Console& console, std::string doing, std::string unit, std::int64_t total, std::int64_t done = 0,
             Clock clock = steady_seconds, Stage stage = Stage::work);
    /// Shows the last state and ends the line.
    ~Progress();
    Progress(const Progress&) = delete;

    /// The work ends after this time, unless it is done before.
    void limit_time(double seconds) { end_s_ = clock_() + seconds; }

    /// Cheap: shows itself only when due.
    void update(std::int64_t done, const Values& values = {});

    static double steady_seconds();

  private:
    void show();

    Console& console_;
    Moment moment_;
    Rate rate_;
    Clock clock_;
    double every_s_, shown_at_;
    std::optional<double> end_s_;
    bool changed_ = false; // since it was shown
};

/// Of a preparation that is mostly short: nothing is shown in its first second.
class LateProgress {
  public:
    LateProgress(Console& console, std::string doing, std::string unit,
                 Progress::Clock clock = Progress::steady_seconds)
        : console_(console), doing_(std::move(doing)), unit_(std::move(unit)), clock_(std::move(clock)),
          begin_s_(clock_())
    {
    }
    void update(std::int64_t done, std::int64_t total);

  private:
    Console& console_;
    std::string doing_, unit_;
    Progress::Clock clock_;
    double begin_s_;
    std::optional<Progress> progress_;
};

/// Rounded down.
constexpr std::int64_t megabytes(std::int64_t bytes)
{
    return bytes / 1'000'000;
}

} // namespace bifrons::tools
