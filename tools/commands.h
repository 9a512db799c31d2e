// tools/commands.h - the commands of the program: one row of a table and one file cmd_<name>.cpp each.
//
// A new command: write declare_<name>() in tools/cmd_<name>.cpp, name it here and add a row in commands.cpp.
#pragma once

#include "tools/console.h"

#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace bifrons::tools {

/// What a command does once its options are read. Throws Error, or Interrupted.
using Work = std::function<void(Console&)>;

struct Command {
    const char* name;
    const char* help;               ///< one line
    Work (*declare)(CLI::App& app); ///< declares the options; the work sees their values
};

const std::vector<Command>& commands();

/// Runs the command that the arguments name and returns the exit code. Every error ends here as one sentence.
int run(int argc, const char* const* argv);

Work declare_bench(CLI::App& app);
Work declare_demo(CLI::App& app);
Work declare_doctor(CLI::App& app);
Work declare_eval(CLI::App& app);
Work declare_extract(CLI::App& app);
Work declare_inspect(CLI::App& app);
Work declare_map(CLI::App& app);
Work declare_merge(CLI::App& app);
Work declare_plan(CLI::App& app);
Work declare_preview(CLI::App& app);
Work declare_train(CLI::App& app);

} // namespace bifrons::tools
