// tools/options.h - how a command declares an option: its type, default and one sentence of help.
// The value that the variable has when it is declared is the default. CLI11 takes the compiler five seconds in every
// file that includes it, so only the files that define these include it.
#pragma once

#include "model/wanted_settings.h"

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
} // namespace CLI

namespace bifrons::tools {

/// A number in low..high. T: int, std::int64_t or double.
template <class T>
CLI::Option* number(CLI::App& app, const std::string& name, T& value, T low, T high, const std::string& help);

/// The same without a default: the help has to say what happens then.
template <class T>
CLI::Option* number(CLI::App& app, const std::string& name, std::optional<T>& value, T low, T high,
                    const std::string& help);

/// One of a few words.
CLI::Option* choice(CLI::App& app, const std::string& name, std::string& value, const std::vector<std::string>& words,
                    const std::string& help);

/// A file, folder or other text; `what` stands for it in the help: FILE, FOLDER, ...
CLI::Option* text(CLI::App& app, const std::string& name, std::string& value, const std::string& what,
                  const std::string& help);
/// The same, any number of times.
CLI::Option* texts(CLI::App& app, const std::string& name, std::vector<std::string>& values, const std::string& what,
                   const std::string& help);

/// On when named.
CLI::Option* flag(CLI::App& app, const std::string& name, bool& value, const std::string& help);

/// --preset, --config and --set, with the presets below the other options.
void settings_options(CLI::App& app, model::NamedSettings& named);

/// Lines below the options, each with its end.
void note(CLI::App& app, const std::string& lines);

/// The command is refused without it.
void required(CLI::Option* option);
/// The command is refused with both.
void excludes(CLI::App& app, CLI::Option* option, const std::string& other);

/// --device, with the words that open_device() knows.
CLI::Option* device_option(CLI::App& app, std::string& value);

} // namespace bifrons::tools
