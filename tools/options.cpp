#include "tools/options.h"

#include "kernels/base/suggest.h"
#include "model/preset.h"

#include <algorithm>
#include <iomanip>
#include <sstream>

namespace bifrons::tools {

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
    app.footer(list.str() + "\n" + app.get_footer());
}

CLI::Option* device_option(CLI::App& app, std::string& value)
{
    return text(app, "--device", value, "auto|cpu|cpu:THREADS|cuda|cuda:N", "device to run on");
}

} // namespace bifrons::tools
