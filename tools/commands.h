// tools/commands.h - the commands of the program: one row of a table and one file cmd_<name>.cpp each.
//
// A new command: write declare_<name>() in tools/cmd_<name>.cpp, name it here and add a row in commands.cpp.
#pragma once

#include "tools/console.h"
#include "tools/run.h"

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
} // namespace CLI

namespace bifrons::tools {

/// What a command does once its options are read. Throws Error, or Interrupted.
using Work = std::function<void(Console&)>;

struct Command {
    const char* name;
    const char* help;               ///< one line
    Work (*declare)(CLI::App& app); ///< declares the options; the work sees their values
    bool keeps_work = false;        ///< stops by itself when interrupted(); others are ended at once
};

const std::vector<Command>& commands();

Work declare_bench(CLI::App& app);
Work declare_demo(CLI::App& app);
Work declare_doctor(CLI::App& app);
Work declare_eval(CLI::App& app);
Work declare_export(CLI::App& app);
Work declare_extract(CLI::App& app);
Work declare_faces(CLI::App& app);
Work declare_import(CLI::App& app);
Work declare_inspect(CLI::App& app);
Work declare_manual(CLI::App& app);
Work declare_map(CLI::App& app);
Work declare_merge(CLI::App& app);
Work declare_models(CLI::App& app);
Work declare_pack(CLI::App& app);
Work declare_plan(CLI::App& app);
Work declare_preview(CLI::App& app);
Work declare_train(CLI::App& app);
Work declare_unpack(CLI::App& app);

} // namespace bifrons::tools
