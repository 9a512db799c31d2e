// tools/loss_watch.h - notices a training that has collapsed. Tests tests/tools/progress_test.cpp
#pragma once

#include <cstdint>
#include <limits>

namespace bifrons::tools {

/// Collapsed: for two windows of kSteps steps in a row the mean loss is more than twice the least that a window had.
class LossWatch {
  public:
    static constexpr std::int64_t kSteps = 200;

    /// True once, after the step whose loss shows it.
    bool collapses(double loss)
    {
        sum_ += loss;
        if (++steps_ < kSteps) return false;
        mean_ = sum_ / double(kSteps);
        sum_ = 0;
        steps_ = 0;
        if (mean_ < least_) least_ = mean_;
        high_ = mean_ > 2 * least_ ? high_ + 1 : 0;
        return high_ == 2 && !told_ && (told_ = true);
    }
    double mean() const { return mean_; }   ///< of the newest window
    double least() const { return least_; } ///< of all windows

  private:
    double sum_ = 0, mean_ = 0, least_ = std::numeric_limits<double>::infinity();
    std::int64_t steps_ = 0;
    int high_ = 0; ///< windows in a row
    bool told_ = false;
};

} // namespace bifrons::tools
