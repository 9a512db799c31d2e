#include "tools/commands.h"
#include "tools/manual.h"
#include "tools/options.h"

namespace bifrons::tools {

Work declare_manual(CLI::App& app)
{
    const auto form = std::make_shared<std::string>("man");
    choice(app, "--form", *form, {"man", "bash", "zsh", "fish"}, "the page for man, or completions for a shell");
    return [form, &app](Console& console) {
        const std::string text = manual(*form, app);
        console.result(text, {{"form", *form}, {"text", text}});
    };
}

} // namespace bifrons::tools
