// tools/merge_settings.h - how faces are pasted, frame by frame: options of `bifrons merge`, and a TOML file in which
// ranges of frames have settings of their own.
//
//   erode = 6                      keys are the options' names, shift-x included; four sides are [4, 12, 4, 4]
//   [[frames]]
//   from = 120                     the first frame, counted from 0
//   to = 180                       the last
//   opacity = 0.5
//
// An option on the command line overrides the file's, but not those of a range. Tests tests/tools/merge_test.cpp
#pragma once

#include "data/merge/merge.h"

#include <functional>

namespace CLI {
class App;
} // namespace CLI

namespace bifrons::tools {

struct MergeSettings {
    data::MergeOptions options = {};
    bool choose_color = true; ///< --color auto
};

class MergePlan {
  public:
    /// Options as words of a command line: "--erode=6".
    using Words = std::vector<std::string>;

    /// given: overrides the file. file: may be empty. Throws Error(data) for a file that cannot be read, Error(usage)
    /// with file, line and key for a value that does not fit, an unknown key, and ranges that are empty, overlap or lie
    /// beyond the last frame.
    MergePlan(const Words& given, const std::string& file, std::int64_t frames);

    const MergeSettings& at(std::int64_t frame) const;
    /// As a file that gives this plan. Throws as data::write_file does.
    void save(const std::string& file, data::Existing existing) const;

  private:
    struct Range {
        std::int64_t from, to;
        Words words;
        MergeSettings settings;
    };
    void add_range(Range range, const std::string& where, std::int64_t frames);

    Words words_;
    MergeSettings settings_;
    std::vector<Range> ranges_;
};

/// Declares the options; what it returns makes the plan, of a settings file and the number of frames, once the command
/// line is parsed. The app must outlive it.
std::function<MergePlan(const std::string& file, std::int64_t frames)> merge_options(CLI::App& app);

} // namespace bifrons::tools
