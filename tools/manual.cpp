#include "tools/manual.h"

#include <CLI/CLI.hpp>

namespace bifrons::tools {

namespace {

std::vector<const CLI::App*> commands_of(const CLI::App& program)
{
    return program.get_subcommands([](const CLI::App*) { return true; });
}

/// Those with a long name.
std::vector<const CLI::Option*> options_of(const CLI::App& command)
{
    return command.get_options([](const CLI::Option* option) { return !option->get_lnames().empty(); });
}

bool takes_value(const CLI::Option& option)
{
    return option.get_expected_max() > 0 && option.get_type_size() > 0;
}

std::string replaced(std::string text, const std::string& what, const std::string& by)
{
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
    return text;
}

/// Words that may stand for the option's value, separated by spaces: those of "auto|cpu|cuda:N" that are no pattern.
std::string choices(const CLI::Option& option)
{
    const std::string type = option.get_type_name();
    std::string words;
    if (type.find('|') == std::string::npos) return words;
    for (const std::string& word : CLI::detail::split(type, '|'))
        if (word.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ. ") == std::string::npos)
            words += (words.empty() ? "" : " ") + word;
    return words;
}

/// "--out -o": what a user may type for the option.
std::string spellings(const CLI::Option& option)
{
    std::string all;
    for (const std::string& name : option.get_lnames()) all += " --" + name;
    for (const std::string& name : option.get_snames()) all += " -" + name;
    return all.substr(1);
}

// ---- roff ----------------------------------------------------------------------------------------------------------

std::string roff(const std::string& text)
{
    std::string out = replaced(replaced(text, "\\", "\\e"), "-", "\\-");
    out = replaced(out, "\n", "\n.br\n");
    if (!out.empty() && (out[0] == '.' || out[0] == '\'')) out.insert(0, "\\&");
    return out;
}

std::string page_of(const CLI::Option& option)
{
    std::string out = ".TP\n";
    if (option.get_positional()) {
        out += "\\fI" + roff(option.get_name()) + "\\fR";
    } else {
        out += "\\fB" + roff(replaced(spellings(option), " ", ", ")) + "\\fR";
        if (takes_value(option)) out += " \\fI" + roff(option.get_type_name()) + "\\fR";
    }
    out += "\n" + roff(option.get_description());
    if (option.get_required()) out += " (required)";
    if (const std::string value = option.get_default_str(); !value.empty()) out += " (default " + roff(value) + ")";
    return out + "\n";
}

std::string page_of(const CLI::App& command)
{
    std::string out = ".SS bifrons " + roff(command.get_name()) + "\n" + roff(command.get_description()) + ".\n";
    for (const CLI::Option* option : command.get_options({})) out += page_of(*option);
    const std::string footer = command.get_footer();
    if (const std::string own = footer.substr(0, footer.find("Exit codes:")); !own.empty())
        out += ".PP\n.nf\n" + roff(own) + ".fi\n";
    return out;
}

// ---- shells --------------------------------------------------------------------------------------------------------

/// In single quotes, as bash, zsh and fish read them.
std::string quoted(const std::string& text)
{
    return "'" + replaced(text, "'", "'\\''") + "'";
}

std::string command_names(const CLI::App& program)
{
    std::string names;
    for (const CLI::App* command : commands_of(program)) names += (names.empty() ? "" : " ") + command->get_name();
    return names;
}

/// An item of zsh's _arguments, without quotes: "--device[where to compute]:auto|cpu:(auto cpu)".
std::string zsh_argument(const std::string& spelling, const CLI::Option& option)
{
    const auto escaped = [](std::string text) {
        for (const char* special : {"[", "]", ":"}) text = replaced(text, special, std::string("\\") + special);
        return text;
    };
    std::string item = "*" + spelling + "[" + escaped(option.get_description()) + "]";
    if (!takes_value(option)) return item;
    const std::string words = choices(option);
    return item + ":" + escaped(option.get_type_name()) + ":" + (words.empty() ? "_files" : "(" + words + ")");
}

std::string manual_page(const CLI::App& program)
{
    std::string out = ".TH BIFRONS 1\n.SH NAME\nbifrons \\- trains face models and merges them into videos\n"
                      ".SH SYNOPSIS\n\\fBbifrons\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR]...\n.SH DESCRIPTION\n";
    out += roff(program.get_description()) + "\n.SH COMMANDS\n";
    for (const CLI::App* command : commands_of(program)) out += page_of(*command);
    const std::string footer = program.get_footer();
    return out + ".SH EXIT STATUS\n" + roff(footer.substr(footer.find("Exit codes:"))) + "\n";
}

std::string bash_completion(const CLI::App& program)
{
    std::string options, values;
    for (const CLI::App* command : commands_of(program)) {
        options += "    " + command->get_name() + ") words='";
        for (const CLI::Option* option : options_of(*command)) {
            options += spellings(*option) + " ";
            if (const std::string words = choices(*option); !words.empty())
                values += "    " + command->get_name() + ":" +
                          replaced(spellings(*option), " ", "|" + command->get_name() + ":") + ") words='" + words +
                          "' ;;\n";
        }
        options += "' ;;\n";
    }
    return "# bash completion of bifrons; where no word fits, a file does.\n"
           "_bifrons() {\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words=\n"
           "    if [ \"$COMP_CWORD\" = 1 ]; then\n"
           "        words='" +
           command_names(program) +
           " --help --version'\n"
           "    elif [[ $cur == -* ]]; then\n"
           "    case ${COMP_WORDS[1]} in\n" +
           options +
           "    esac\n"
           "    else\n"
           "    case ${COMP_WORDS[1]}:$prev in\n" +
           values +
           "    esac\n"
           "    fi\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
           "}\n"
           "complete -o default -F _bifrons bifrons\n";
}

std::string zsh_completion(const CLI::App& program)
{
    std::string names, options;
    for (const CLI::App* command : commands_of(program)) {
        names += "    " + quoted(command->get_name() + ":" + command->get_description()) + "\n";
        options += command->get_name() + ") _arguments";
        for (const CLI::Option* option : options_of(*command))
            for (const std::string& spelling : CLI::detail::split(spellings(*option), ' '))
                options += " \\\n    " + quoted(zsh_argument(spelling, *option));
        options += " \\\n    '*:file:_files' ;;\n";
    }
    return "#compdef bifrons\n"
           "local -a commands=(\n" +
           names +
           ")\n"
           "if ((CURRENT == 2)); then\n"
           "    _describe command commands\n"
           "    return\n"
           "fi\n"
           "shift words\n"
           "((CURRENT--))\n"
           "case $words[1] in\n" +
           options + "esac\n";
}

std::string fish_completion(const CLI::App& program)
{
    const auto fish_quoted = [](const std::string& text) {
        return "'" + replaced(replaced(text, "\\", "\\\\"), "'", "\\'") + "'";
    };
    std::string out;
    for (const CLI::App* command : commands_of(program)) {
        const std::string name = command->get_name();
        out += "complete -c bifrons -f -n __fish_use_subcommand -a " + name + " -d " +
               fish_quoted(command->get_description()) + "\n";
        for (const CLI::Option* option : options_of(*command)) {
            out += "complete -c bifrons -n '__fish_seen_subcommand_from " + name + "'";
            for (const std::string& spelling : option->get_lnames()) out += " -l " + spelling;
            for (const std::string& spelling : option->get_snames()) out += " -s " + spelling;
            const std::string words = choices(*option);
            if (takes_value(*option)) out += words.empty() ? " -r" : " -xa " + fish_quoted(words);
            out += " -d " + fish_quoted(option->get_description()) + "\n";
        }
    }
    return out;
}

} // namespace

std::string manual(const std::string& form, const CLI::App& command)
{
    const CLI::App& program = *command.get_parent();
    if (form == "bash") return bash_completion(program);
    if (form == "zsh") return zsh_completion(program);
    if (form == "fish") return fish_completion(program);
    return manual_page(program);
}

} // namespace bifrons::tools
