#include "tools/options.h"

#include "kernels/base/error.h"
#include "kernels/base/suggest.h"
#include "model/preset.h"

#include <algorithm>
#include <iomanip>
#include <sstream>

#include <CLI/CLI.hpp>

namespace bifrons::tools {

namespace {

template <class T>
CLI::Option* limited(CLI::Option* option, T low, T high)
{
    const std::string range = str(low, "..", high);
    const auto in_range = [=](std::string& text) {
        T read{};
        const bool good = CLI::detail::lexical_cast(text, read) && read >= low && read <= high; // NaN: no
        return good ? std::string() : "is " + text + "; expected a number in " + range;
    };
    return option->type_name(range)->check(CLI::Validator(in_range, ""));
}

} // namespace

template <class T>
CLI::Option* number(CLI::App& app, const std::string& name, T& value, T low, T high, const std::string& help)
{
    return limited(app.add_option(name, value, help), low, high)->capture_default_str();
}

template <class T>
CLI::Option* number(CLI::App& app, const std::string& name, std::optional<T>& value, T low, T high,
                    const std::string& help)
{
    return limited(app.add_option_function<T>(
                       name, [&value](const T& read) { value = read; }, help),
                   low, high);
}

template CLI::Option* number(CLI::App&, const std::string&, int&, int, int, const std::string&);
template CLI::Option* number(CLI::App&, const std::string&, std::int64_t&, std::int64_t, std::int64_t,
                             const std::string&);
template CLI::Option* number(CLI::App&, const std::string&, double&, double, double, const std::string&);
template CLI::Option* number(CLI::App&, const std::string&, std::optional<std::int64_t>&, std::int64_t, std::int64_t,
                             const std::string&);
template CLI::Option* number(CLI::App&, const std::string&, std::optional<double>&, double, double, const std::string&);

CLI::Option* choice(CLI::App& app, const std::string& name, std::string& value, const std::vector<std::string>& words,
                    const std::string& help)
{
    std::string list;
    for (const std::string& word : words) list += (list.empty() ? "" : "|") + word;
    const auto known = [=](std::string& text) {
        if (std::find(words.begin(), words.end(), text) != words.end()) return std::string();
        return "is \"" + text + "\"; expected " + list + did_you_mean(text, words);
    };
    return app.add_option(name, value, help)->type_name(list)->check(CLI::Validator(known, ""))->capture_default_str();
}

CLI::Option* text(CLI::App& app, const std::string& name, std::string& value, const std::string& what,
                  const std::string& help)
{
    CLI::Option* const option = app.add_option(name, value, help)->capture_default_str();
    return option->type_name(option->get_positional() ? "" : what); // a positional is named by its own name
}

CLI::Option* texts(CLI::App& app, const std::string& name, std::vector<std::string>& values, const std::string& what,
                   const std::string& help)
{
    CLI::Option* const option = app.add_option(name, values, help);
    return option->type_name(option->get_positional() ? "" : what)->allow_extra_args(option->get_positional());
}

CLI::Option* flag(CLI::App& app, const std::string& name, bool& value, const std::string& help)
{
    return app.add_flag(name, value, help);
}

void settings_options(CLI::App& app, model::NamedSettings& named)
{
    text(app, "--preset", named.preset, "NAME", "settings for a purpose, see below");
    text(app, "--config", named.config, "FILE", "TOML file of settings; overrides the preset");
    texts(app, "--set", named.assignments, "KEY=VALUE", "one setting; overrides --config; may be given several times");
    std::ostringstream list;
    list << "Presets:\n";
    for (const model::Preset& preset : model::presets())
        list << "  " << std::left << std::setw(12) << preset.name << preset.purpose << '\n';
    note(app, list.str());
}

void note(CLI::App& app, const std::string& lines)
{
    app.footer(lines + "\n" + app.get_footer());
}

void excludes(CLI::App& app, CLI::Option* option, const std::string& other)
{
    option->excludes(app.get_option(other));
}

void required(CLI::Option* option)
{
    option->required();
}

CLI::Option* device_option(CLI::App& app, std::string& value)
{
    return text(app, "--device", value, "auto|cpu|cpu:THREADS|cuda|cuda:N", "device to run on");
}

} // namespace bifrons::tools
